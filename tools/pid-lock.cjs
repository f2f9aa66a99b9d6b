'use strict';
// A lock that is a file with the pid of its holder. Old syntax, see launcher.cjs.
var fs = require('fs');
var path = require('path');

var pollMs = 50;

/** Blocks this process: whoever waits here has nothing else to do. */
function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
}

/** Runs `change`, unless the file is gone. */
function unlessGone(change) {
  try {
    return change();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** A process of this one's number was another: nobody waits for a lock he holds himself. In a container numbers come again. */
function lives(pid) {
  try {
    return pid > 0 && pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The lock is put aside before it is removed: another who waits may have taken it over meanwhile, and gets it back. */
function takeOver(file, dead) {
  var aside = file + '.' + process.pid;
  unlessGone(function () {
    fs.renameSync(file, aside);
    if (fs.readFileSync(aside, 'utf8') !== dead) putInPlace(aside, file);
    fs.unlinkSync(aside);
  });
}

/** Makes the file, unless it is there. Under its name there is a file with a pid in it, or none. */
function take(file) {
  var draft = file + '.' + process.pid + '.new';
  fs.writeFileSync(draft, String(process.pid));
  try {
    return putInPlace(draft, file);
  } finally {
    fs.unlinkSync(draft);
  }
}

/** Gives a whole file its name; false when there is one already. File systems without links are given a copy. */
function putInPlace(whole, file) {
  try {
    fs.linkSync(whole, file);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    try {
      fs.copyFileSync(whole, file, fs.constants.COPYFILE_EXCL);
    } catch (failure) {
      if (failure.code === 'EEXIST') return false;
      throw failure;
    }
  }
  return true;
}

/**
 * Waits until nobody else holds the lock, and takes it; that of a process that died is taken over. Throws what the file system
 * says when the file cannot be made.
 * @param onWait called once, with the pid of the holder, when there is one to wait for.
 * @returns what lets go of it; the end of the process does, too, unless it becomes another program.
 */
function hold(file, onWait) {
  var told = false;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  while (!take(file)) wait();
  process.on('exit', release);
  return release;

  function wait() {
    var holder = unlessGone(function () {
      return fs.readFileSync(file, 'utf8');
    });
    if (holder === undefined) return;
    if (!lives(Number(holder))) return takeOver(file, holder);
    if (!told && onWait) onWait(holder);
    told = true;
    pause();
  }

  function release() {
    process.removeListener('exit', release);
    fs.unlinkSync(file);
  }
}

module.exports = { hold: hold };
