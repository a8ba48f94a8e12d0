import { it } from 'node:test';
import { random } from '../../../gateway/balance/policies/random.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';
import { repetitions } from '../../support/counts.ts';
import { newReplicas } from '../../support/replicas.ts';
import { assertDrawnFrom, tally } from '../../support/statistics.ts';

it('random draws each replica with a probability proportional to its weight, whatever it has in flight', () => {
  const replicas = newReplicas(
    { weight: 1, inFlight: 5 },
    { weight: 2 },
    { weight: 0.5 },
    { weight: 6.5, inFlight: 9 },
  );
  const policy = random(seededRng(5));
  const draws = repetitions({ quick: 20_000, full: 1_000_000 });
  const counts = tally(replicas, draws, () => policy.pick(replicas, lightWork, 0));
  assertDrawnFrom([0.1, 0.2, 0.05, 0.65], counts, 'weights 1, 2, 0.5, 6.5');
});
