'use strict';
// `npm start`: install and build what is missing, then become the standalone server. Old syntax, see launcher.cjs.
var path = require('path');
var launcher = require('./launcher.cjs');

launcher.requireNode();
launcher.ensureInstalled();
var main = path.join(launcher.root, 'services', 'standalone', 'dist', 'main.js');
launcher.ensureBuilt(main);
launcher.become([main].concat(process.argv.slice(2)));
