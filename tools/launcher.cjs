'use strict';
// Syntax of 2009 on purpose: an old Node must get as far as the sentence that says it is too old.
var childProcess = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var path = require('path');
var pidLock = require('./pid-lock.cjs');

var root = path.resolve(__dirname, '..');
var modules = path.join(root, 'node_modules');
var node24 = path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
/** Inside node_modules, so that it disappears together with what it vouches for. */
var stamp = path.join(modules, '.ragmesh-lock-hash');
var oldestNode = 18;

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exit(1);
}

function requireNode() {
  var major = parseInt(process.versions.node, 10);
  if (major < oldestNode)
    fail('ragmesh needs Node ' + oldestNode + ' or newer; this is ' + process.versions.node + '.');
}

function modifiedAt(file) {
  return fs.existsSync(file) ? fs.statSync(file).mtimeMs : -1;
}

/** Installs what package-lock.json names, unless it is there. One start at a time does: two would delete each other's packages. */
function ensureInstalled() {
  var lockFile = path.join(root, 'package-lock.json');
  var hash = crypto.createHash('sha256').update(fs.readFileSync(lockFile)).digest('hex');
  if (isInstalled(lockFile, hash)) return;
  // Beside node_modules, which an install removes.
  var release = pidLock.hold(path.join(root, '.cache', 'install.lock'), function (pid) {
    process.stderr.write('Process ' + pid + ' installs packages; waiting for it (.cache/install.lock)…\n');
  });
  if (!isInstalled(lockFile, hash)) {
    install(fs.existsSync(modules));
    fs.writeFileSync(stamp, hash);
  }
  release();
}

/** Whether the packages are those of this lock file. An install by hand is vouched for from now on, where that can be written. */
function isInstalled(lockFile, hash) {
  if (!fs.existsSync(node24)) return false;
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash) return true;
  if (modifiedAt(path.join(modules, '.package-lock.json')) < modifiedAt(lockFile)) return false;
  try {
    fs.writeFileSync(stamp, hash);
  } catch (error) {
    if (['EROFS', 'EACCES', 'EPERM'].indexOf(error.code) < 0) throw error;
  }
  return true;
}

function install(again) {
  process.stderr.write(again ? 'Installing changed packages…\n' : 'Installing packages (first run, about a minute)…\n');
  var npm = process.env.npm_execpath;
  var program = npm ? process.execPath : 'npm';
  var args = (npm ? [npm] : []).concat(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  // Neither a GPU runtime nor an install report is wanted from packages that would fetch or send one.
  var env = Object.assign({}, process.env, { ONNXRUNTIME_NODE_INSTALL: 'skip', SCARF_ANALYTICS: 'false' });
  var result = childProcess.spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], env: env });
  if (result.status !== 0) fail('Installing the packages failed; see above, then run the command again.');
  if (!fs.existsSync(node24)) fail('Node 24 is missing after the install; run "npm rebuild node" and start again.');
}

/** Builds unless `main` is there and of these sources. */
function ensureBuilt(main) {
  if (fs.existsSync(main) && require('./build-state.cjs').isCurrent()) return;
  process.stderr.write('Building…\n');
  var build = [path.join(__dirname, 'build.mjs')];
  var result = childProcess.spawnSync(node24, build, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) fail('The build failed; see above.');
  if (!fs.existsSync(main)) fail(path.relative(root, main) + ' was not built: there is nothing to start.');
}

/** Replaces this process where the platform can, so that signals and exit code are the program's own. */
function become(args) {
  // What a program compiled once, the next one reads: a third of the time to start.
  process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || path.join(root, '.cache', 'compiled');
  var argv = [node24].concat(args);
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.emitWarning = function () {}; // it would only say that execve is experimental
    process.execve(node24, argv, process.env);
  }
  var child = childProcess.spawn(node24, args, { stdio: 'inherit' });
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      // A terminal sends Ctrl-C to both processes; passing it on would make two of it.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  });
  child.on('exit', function (code, signal) {
    process.exit(signal === null ? code : 1);
  });
}

module.exports = {
  root: root,
  node24: node24,
  fail: fail,
  requireNode: requireNode,
  ensureInstalled: ensureInstalled,
  ensureBuilt: ensureBuilt,
  become: become,
};
