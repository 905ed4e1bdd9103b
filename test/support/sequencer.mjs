/** The longest first: on a machine that has run nothing before, jest knows no durations, and a long suite that comes last is waited for alone. */
import Sequencer from '@jest/test-sequencer';

const LONGEST_FIRST = ['faults', 'players', 'web', 'e2e', 'integration', 'workflows', 'activities'];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const found = LONGEST_FIRST.findIndex((folder) => path.includes(`/test/${folder}/`));
      return found < 0 ? LONGEST_FIRST.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
