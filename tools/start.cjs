'use strict';
// `npm start`: install and build what is missing, then become the standalone server. Old syntax, see launcher.cjs.
var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');
var launcher = require('./launcher.cjs');

launcher.requireNode();
launcher.ensureInstalled();

var main = path.join(launcher.root, 'services', 'standalone', 'dist', 'main.js');
var buildState = require('./build-state.cjs');
if (!fs.existsSync(main) || !buildState.isCurrent()) {
  process.stderr.write('Building…\n');
  var build = [path.join(__dirname, 'build.mjs')];
  var result = childProcess.spawnSync(launcher.node24, build, { cwd: launcher.root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) launcher.fail('The build failed; see above.');
}
if (!fs.existsSync(main)) launcher.fail('services/standalone/src/main.ts is missing: there is nothing to start.');
launcher.become([main].concat(process.argv.slice(2)));
