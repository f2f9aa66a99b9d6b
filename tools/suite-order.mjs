import Sequencer from '@jest/test-sequencer';

/** Suites that take longest first: a long one that begins last would run alone, with the other workers idle. */
const kinds = ['.e2e.', '.int.', '.unit.'];

const costOf = ({ path }) => kinds.findIndex((kind) => path.includes(kind));

export default class SuiteOrder extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => costOf(one) - costOf(other));
  }
}
