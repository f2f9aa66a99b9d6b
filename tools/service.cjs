'use strict';
// `npm run service -- vector` and `npm run mesh`: install and build what is missing, then become one service, or the
// process that runs all eight. Old syntax, see launcher.cjs.
var fs = require('fs');
var path = require('path');
var launcher = require('./launcher.cjs');

var services = path.join(launcher.root, 'services');
var name = process.argv[2];
var known = fs.readdirSync(services).filter(function (service) {
  return fs.existsSync(path.join(services, service, 'src', 'main.ts'));
});
if (known.indexOf(name) < 0) {
  launcher.fail((name ? 'There is no service ' + name + '. ' : '') + 'Name one of: ' + known.join(', ') + '.');
}

launcher.requireNode();
launcher.ensureInstalled();
var main = path.join(services, name, 'dist', 'main.js');
launcher.ensureBuilt(main);
launcher.become([main].concat(process.argv.slice(3)));
