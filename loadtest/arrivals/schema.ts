import { z } from 'zod';
import {
  kindField,
  kindsOf,
  listOf,
  mapping,
  numberField,
  periodField,
  positiveRateField,
  rateField,
  textField,
  wholeField,
} from '../../gateway/settings/fields.ts';

/** Below, nearly all gaps of a burst are too short to tell apart; above, they are all but even. */
const burstiest = 0.01;
const smoothest = 1000;

const numberOrEven = `a number from ${burstiest} to ${smoothest}, or even`;

const spacing = {
  burstiness: z
    .union([numberField(burstiest, smoothest, numberOrEven), z.literal('even', { error: numberOrEven })], {
      error: numberOrEven,
    })
    .default(1)
    .describe('Of the gaps, as for gamma; even leaves nothing to chance.'),
};

const step = mapping({
  rate: rateField().describe('How many requests a second; 0/s for none.'),
  for: periodField().describe('How long.'),
});

/** When requests are sent, as YAML says it. */
export const arrivalsSchema = kindsOf([
  mapping({
    kind: kindField('constant', 'At even intervals, the first at once.'),
    rate: positiveRateField().describe('How many requests a second.'),
  }),
  mapping({
    kind: kindField('poisson', 'Independently of each other, as many clients send.'),
    rate: positiveRateField().describe('How many requests a second, on average.'),
  }),
  mapping({
    kind: kindField('gamma', 'In bursts, or smoother than by chance.'),
    rate: positiveRateField().describe('How many requests a second, on average.'),
    burstiness: numberField(burstiest, smoothest).describe(
      'Shape of gamma distributed gaps: 1 is Poisson, less is burstier; their squared coefficient of variation is 1 over it.',
    ),
  }),
  mapping({
    kind: kindField('ramp', 'At a rate that rises or falls in a straight line.'),
    from: rateField().describe('The rate at the start.'),
    to: rateField().describe('The rate at the end, and from then on.'),
    over: periodField().optional().describe('How long it takes. Absent: the whole run.'),
    ...spacing,
  }),
  mapping({
    kind: kindField('step', 'At one rate after another; the run ends with the last.'),
    steps: listOf(step, 'a list of steps').min(1, { error: 'at least one step' }).describe('The rates.'),
    ...spacing,
  }),
  mapping({
    kind: kindField('trace', 'When somebody’s requests were; the run ends with the last.'),
    file: textField('the path of a trace').describe(
      'In the format of Azure’s LLM traces (.csv) or of Mooncake’s (.jsonl).',
    ),
    speed: numberField(0.000_001, 1_000_000).default(1).describe('How many times as fast.'),
    limit: wholeField(1).optional().describe('Only so many from the start. Absent: all.'),
  }),
  mapping({
    kind: kindField(
      'closed',
      'A closed loop: each when another has ended. It waits for slow answers and so hides them; open loops do not.',
    ),
    concurrency: wholeField(1, 100_000).describe('How many are under way at any time.'),
  }),
]);
