'use strict';
// `npm test`: install what is missing, then continue on Node 24. Old syntax, see launcher.cjs.
var path = require('path');
var launcher = require('./launcher.cjs');

launcher.requireNode();
launcher.ensureInstalled();
launcher.become([path.join(__dirname, 'test.mjs')].concat(process.argv.slice(2)));
