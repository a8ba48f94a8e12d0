import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { EncodedTally } from '../report/tally.ts';
import { readScenario, type ScenarioSource } from '../scenario/read-scenario.ts';
import type { Destination } from './connection.ts';
import { generate } from './generate.ts';
import type { Glance } from './glance.ts';
import type { Generated, Generating, Part } from './send-plan.ts';

/** What a process that sends is told. The scenario is read again: a trace is too large to hand over. */
export type GeneratorOrder =
  | {
      readonly kind: 'prepare';
      readonly source: ScenarioSource;
      readonly target: string;
      readonly destination: Destination;
      readonly part: Part;
    }
  | { readonly kind: 'start'; readonly atWallMs: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'break off' };

/** What it tells. */
export type GeneratorNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'glance'; readonly glance: Glance }
  | { readonly kind: 'finished'; readonly generated: Omit<Generated, 'tally'>; readonly tally: EncodedTally };

const glanceEveryMs = 500;

let start: (atWallMs: number) => Generating = () => {
  throw new Error('nothing is prepared');
};
let generating: Generating | null = null;

const tell = (news: GeneratorNews): void => void process.send?.(news);

function prepare({ source, target: name, destination, part }: Extract<GeneratorOrder, { kind: 'prepare' }>): void {
  const scenario = readScenario(source);
  const target = scenario.targets.find((one) => one.name === name);
  if (target === undefined) throw new RangeError(`the scenario has no target ${name}`);
  start = (atWallMs) => generate({ scenario, target, destination, part }, atWallMs);
  tell({ kind: 'ready' });
}

async function send(atWallMs: number): Promise<void> {
  const running = start(atWallMs);
  generating = running;
  let timer = systemClock.after(glanceEveryMs, function again() {
    tell({ kind: 'glance', glance: running.look() });
    timer = systemClock.after(glanceEveryMs, again);
  });
  const { tally, ...generated } = await running.finished;
  timer.cancel();
  tell({ kind: 'finished', generated, tally: tally.encode() });
}

process.on('message', (order: GeneratorOrder) => {
  if (order.kind === 'prepare') prepare(order);
  else if (order.kind === 'start') void send(order.atWallMs);
  else if (order.kind === 'stop') generating?.stop();
  else generating?.breakOff();
});
process.once('disconnect', () => process.exit(0));
// An interrupt from the terminal is for the parent, which then says what to do.
process.on('SIGINT', () => {});
