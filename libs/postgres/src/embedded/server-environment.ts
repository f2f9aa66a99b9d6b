/** Where programs, libraries, temporary files and time zones are found; the last are Windows's. */
const passedOn = ['PATH', 'LD_LIBRARY_PATH', 'TMPDIR', 'TZ', 'SystemRoot', 'TEMP', 'TMP'];

/**
 * The environment of a server that ragmesh starts: what it needs to run, and none of the keys and passwords this process was
 * given. The server may outlive this process, and others of its user can read it.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const given = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(given), LC_ALL: 'C' };
}
