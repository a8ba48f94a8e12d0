import type { Summary } from '../summary.ts';
import {
  describeCount,
  describeFigure,
  describeInstant,
  describeMs,
  describeSpan,
  describeValue,
  describeVerdict,
  distributionFigures,
  distributionsOf,
  simulatedNote,
} from '../wording.ts';
import { drawTable } from './figure.ts';
import { drawKeyFigures } from './key-figures.ts';
import { element, escaped } from './markup.ts';

/** What stands at the top: whose run this is, whether it counts, and its few main figures. */
export function drawHead(summary: Summary): string {
  const { run, requests, window } = summary;
  const facts = [
    `target ${run.target}`,
    `seed ${run.seed}`,
    `${describeCount(requests.offered)} requests from ${describeSpan(window.fromMs, window.untilMs)}`,
    run.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'),
  ];
  return element(
    'header',
    {},
    element('p', { class: 'kind' }, 'Headgate load test'),
    element('div', { class: 'title' }, element('h1', {}, escaped(run.name)), drawBadge(summary)),
    element('p', { class: 'facts' }, facts.map(escaped).join('<span aria-hidden="true"> · </span>')),
    run.isSimulated ? element('p', { class: 'facts' }, escaped(`${simulatedNote}.`)) : '',
    drawReasons(summary),
    drawAsserts(summary),
    drawKeyFigures(summary),
  );
}

const badges = { VALID: ['✓', 'good'], INVALID: ['✕', 'bad'], SIMULATED: ['≈', 'neither'] } as const;

function drawBadge(summary: Summary): string {
  const word = describeVerdict(summary);
  const [mark, tone] = badges[word];
  return element('span', { class: `badge ${tone}` }, element('span', { 'aria-hidden': 'true' }, `${mark} `), word);
}

function drawReasons({ verdict }: Summary): string {
  if (verdict.isValid) return '';
  const reasons = verdict.reasons.map((reason) => element('li', {}, escaped(reason)));
  return element(
    'div',
    { class: 'notice' },
    element('p', {}, 'The figures below tell of the generator rather than of the target:'),
    element('ul', {}, ...reasons),
  );
}

function drawAsserts({ asserts }: Summary): string {
  const items = asserts.map(({ text, unit, value, isMet }) =>
    element(
      'li',
      { class: isMet ? 'good' : 'bad' },
      element('span', { 'aria-hidden': 'true' }, isMet ? '✓ ' : '✕ '),
      element('code', {}, escaped(text)),
      ` ${isMet ? 'holds' : 'fails'}: ${value === null ? 'the run has no such value' : escaped(describeValue(value, unit))}`,
    ),
  );
  return items.length === 0 ? '' : element('ul', { class: 'asserts', 'aria-label': 'Claims' }, ...items);
}

/** Every duration and every outcome with its quantiles, in one table. */
export function drawDurations(summary: Summary): string {
  const rows = distributionsOf(summary);
  const columns = distributionFigures.map(([key, label]) => ({
    key,
    label,
    values: rows.map(({ distribution }) => distribution[key]),
    describe: key === 'count' ? (value: number | null) => describeCount(value ?? 0) : describeFigure,
  }));
  const rowLabels = rows.map(({ name }) => name);
  return element(
    'section',
    { class: 'durations', 'data-chart': 'durations' },
    element('h2', {}, 'All durations'),
    element('p', {}, 'Milliseconds. The latency of one outcome is never mixed with that of another.'),
    drawTable({ caption: 'All durations, milliseconds', rowHead: '', rowLabels, columns }),
  );
}

/** With what the run was made, and what was going on when. */
export function drawColophon({ run: { environment, isSimulated }, bands, records, verdict }: Summary): string {
  const facts: readonly (readonly [string, string])[] = [
    [
      'Headgate',
      `${environment.headgate}${environment.gitCommit === null ? '' : ` at ${environment.gitCommit.slice(0, 12)}`}`,
    ],
    ['Node', environment.node],
    ...(isSimulated
      ? []
      : ([
          [
            'Machine',
            `${environment.platform}, ${environment.processorCount} × ${environment.processor}, ${Math.round(environment.memoryBytes / 1024 ** 3)} GiB`,
          ],
          ['Event-loop delay p99', describeMs(verdict.eventLoopDelayP99Ms)],
        ] as const)),
    ['Raw records kept', `${describeCount(records.kept)} of ${describeCount(records.of)}`],
    ...bands.map(
      ({ name, fromMs, untilMs }) =>
        [`Shaded: ${name}`, `${describeInstant(fromMs)} to ${describeInstant(untilMs)}`] as const,
    ),
  ];
  const items = facts.map(([name, value]) =>
    element('div', {}, element('dt', {}, escaped(name)), element('dd', {}, escaped(value))),
  );
  return element('footer', {}, element('h2', {}, 'Made with'), element('dl', { class: 'made' }, ...items));
}
