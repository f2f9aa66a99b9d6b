const grave = new Set(['high', 'critical']);

/** The grave advisories of an `npm audit` report, each once, however many packages depend on it. */
function graveAdvisories({ vulnerabilities }) {
  const all = Object.values(vulnerabilities).flatMap(({ via }) => via.filter((cause) => typeof cause === 'object'));
  const advisories = all
    .filter(({ severity }) => grave.has(severity))
    .map(({ url, source, name, severity, title }) => ({ id: idOf(url, source), name, severity, title }));
  return [...new Map(advisories.map((advisory) => [advisory.id, advisory])).values()];
}

const idOf = (url, source) => /GHSA(-[\da-z]{4}){3}/.exec(url ?? '')?.[0] ?? String(source);

/**
 * Which advisories have a reason that still holds.
 * @param reasons by id of the advisory: `{ package, reason, until }`, the last as YYYY-MM-DD.
 */
export function judge(report, reasons, today) {
  const advisories = graveAdvisories(report);
  const known = advisories.filter(({ id }) => reasons[id]?.reason?.trim());
  const isOver = ({ id }) => !(new Date(`${reasons[id].until}T23:59:59Z`) >= today);
  return {
    unexplained: advisories.filter((advisory) => !known.includes(advisory)),
    outdated: known.filter(isOver).map(({ id }) => ({ id, until: reasons[id].until })),
    explained: known.filter((advisory) => !isOver(advisory)),
    unneeded: Object.keys(reasons).filter((id) => !advisories.some((advisory) => advisory.id === id)),
  };
}
