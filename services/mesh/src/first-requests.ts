/** For a banner: who gets in, and the first three requests as commands. */
export interface FirstRequests {
  readonly access: string;
  readonly upload: string;
  readonly ask: string;
  readonly status: string;
}

/** @param isGuarded whether requests need a credential; commands then show it as `$KEY`. */
export function firstRequests(url: string, isGuarded: boolean): FirstRequests {
  const curl = isGuarded ? 'curl -H "X-API-Key: $KEY"' : 'curl';
  return {
    access: isGuarded
      ? 'with a credential; see Who may call in services/gateway'
      : 'no authentication; only this machine can connect',
    upload: `${curl} -F file=@README.md ${url}/v1/documents`,
    // On two lines, which a narrow terminal shows whole.
    ask: `${curl} -H 'content-type: application/json' \\
            -d '{"query":"What is ragmesh?"}' ${url}/v1/query`,
    status: `${curl} ${url}/v1/documents`,
  };
}
