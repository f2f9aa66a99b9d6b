import { proof, type Evidence, type Fault } from './fault.js';

const bombs = 'faults/test/bombs.int.spec.ts';
const mutated = 'faults/test/mutated-files.slow.int.spec.ts';
const mutatedFew = 'faults/test/mutated-files.int.spec.ts';
const requests = 'faults/test/hostile-requests.e2e.spec.ts';
const foreign = 'faults/test/foreign-events.e2e.spec.ts';
const fuzzed = 'faults/test/made-up-requests.e2e.spec.ts';
const parser = 'services/document/src/adapters/parser/parser-process.int.spec.ts';
const ssrf = 'libs/egress/test/egress-ssrf.int.spec.ts';
const egressLimits = 'libs/egress/test/egress-limits.int.spec.ts';
const byUrl = 'services/gateway/test/upload-by-url.int.spec.ts';
const badInput = 'services/gateway/test/bad-input.int.spec.ts';
const tenants = 'services/gateway/test/tenants.e2e.spec.ts';
const tokens = 'services/gateway/src/auth/token-authenticator.int.spec.ts';
const auth = 'services/gateway/test/auth.int.spec.ts';
const injections = 'services/generation/test/injections.int.spec.ts';
const calls = 'libs/grpc/src/call-metadata.unit.spec.ts';

/** The edge, the parser and the services are the same code, however events travel. */
const anywhere = (evidence: Evidence): Pick<Fault, 'standalone' | 'mesh'> => ({ standalone: evidence, mesh: evidence });

/** Rows 46–55: what strangers send. */
export const hostileFaults: readonly Fault[] = [
  {
    row: 46,
    fault: 'Bombs: zip, nested zip, gzip, XML entities, PDF objects, links, names that leave the archive',
    never: 'Memory or disk filled, a file written outside',
    tools: 'files by hand',
    ...anywhere([
      proof(bombs, 'is read or refused within the limits', 'harms no file after it'),
      proof(egressLimits, 'whose bytes inflate to nothing, without end'),
    ]),
  },
  {
    row: 47,
    fault: 'Damaged files: 500 seeds over real ones',
    never: 'A crash, a hang, a file read, harm to the next document',
    tools: 'bytes changed, fixed seeds',
    ...anywhere([
      proof(mutatedFew, 'become text or are refused with a code'),
      proof(mutated, 'become text or are refused with a code'),
      proof(parser, 'sees neither environment, data, network', 'that never lets go of the processor'),
    ]),
  },
  {
    row: 48,
    fault: 'A URL into the own network, in all spellings, by redirects, by DNS that changes',
    never: 'A byte of an internal host, or a hint that it is there',
    tools: 'servers, scripted resolver',
    ...anywhere([
      proof(
        ssrf,
        'is refused when it names',
        'to a server of the own network is refused',
        'is checked anew at each redirect',
      ),
      proof(
        ssrf,
        'is resolved once for a connection',
        'is refused as',
        'has no name looked up that stays closed anyway',
      ),
      proof(byUrl, 'is refused'),
    ]),
  },
  {
    row: 49,
    fault: 'Giant and deep bodies, headers and URLs',
    never: 'A stalled event loop, a 5xx',
    tools: 'raw requests, Schemathesis',
    ...anywhere([
      proof(badInput, 'a 10 MB body', 'JSON nested absurdly', 'JSON text over the limit'),
      proof(requests, 'headers of 20 kB', 'a URL of 20 kB'),
      proof(fuzzed, 'meet no 5xx'),
    ]),
  },
  {
    row: 50,
    fault: 'Unicode: NUL, lone surrogates, direction marks, no width, twins of ids, one character of a megabyte',
    never: 'A 500, a filter passed by, ids that clash',
    tools: 'table of words',
    ...anywhere([
      proof(requests, 'are words in titles, metadata, filters and questions', 'are ids or are refused as ids'),
      proof(requests, 'are refused when they are', 'are refused in a query', 'where one character takes a megabyte'),
    ]),
  },
  {
    row: 51,
    fault: 'Another tenant named in a header, body, query, event, call or id',
    never: "A read, write or count of another's",
    tools: 'every route, every event type',
    ...anywhere([
      proof(tenants, 'every route has a case', 'nothing was changed by all these requests'),
      proof(
        foreign,
        'has a case for every type',
        'changes nothing that is the other’s',
        'is refused when its tenant was exchanged',
      ),
      proof(requests, 'sees what is his', 'is refused, or finds nothing'),
      proof(calls, 'unsigned'),
    ]),
  },
  {
    row: 52,
    fault:
      'Forged tokens: no algorithm, HS256 with the public key, foreign keys, wrong audience, expired, of a removed user',
    never: 'A caller let in',
    tools: 'tokens by hand',
    ...anywhere([
      proof(
        tokens,
        'does not hold when it',
        'without signature',
        'signed by HS256',
        'although the key set would let its key do so',
        'with the key id',
        'brings that key along',
      ),
      proof(tenants, 'is not let in by a token'),
    ]),
  },
  {
    row: 53,
    fault: 'Keys guessed by the thousand, from addresses made up or many',
    never: 'Guesses without limit, a hint of what was wrong',
    tools: 'concurrent requests',
    ...anywhere([
      proof(requests, 'are refused and then not looked at'),
      proof(auth, 'that does not hold is refused without a reason'),
      proof(tenants, 'guessed a thousand times from as many addresses'),
    ]),
  },
  {
    row: 54,
    fault: 'Instructions hidden in documents and questions',
    never: 'A call, a leak, a link out of the answer',
    tools: 'corpus, model that obeys',
    ...anywhere([
      proof(injections, 'stays data', 'reaches nobody beyond the reader when it is obeyed', 'opens no address'),
    ]),
  },
  {
    row: 55,
    fault: 'Scripts, markup and commands in what is shown again; SQL, paths, headers and log lines',
    never: 'Anything run, a header or a line of the log forged',
    tools: 'table of words, raw requests',
    ...anywhere([
      proof(requests, 'is nothing: uploads are downloads of no origin', 'is not asked for by another origin'),
      proof(requests, 'are the name of a file and of nothing else', 'left every other document alone'),
      proof(requests, 'JSON that reaches for prototypes', 'has no header of its own making'),
    ]),
  },
];
