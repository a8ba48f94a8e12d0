import { drawDocument } from '../report/page/document.ts';
import { type Column, drawFigure } from '../report/page/figure.ts';
import { coordinate, element, escaped } from '../report/page/markup.ts';
import { roundTicks, type Scale, scale } from '../report/page/scale.ts';
import { describeFigure, describeShare, simulatedNote } from '../report/wording.ts';
import { type Comparison, type ComparisonFile, comparisonsIn, type Difference } from './comparison.ts';
import { describeDifference, middleOf } from './comparison-sections.ts';

const paper = { width: 960, left: 140, right: 770, top: 8, row: 40, foot: 34 } as const;

/** What the medians are told in. */
const unitNames = { ms: 'ms', share: '%', 'per second': '1/s', count: 'times' } as const;

/** Comparisons with one target as one HTML file that needs nothing else. */
export function drawComparisonPage(file: ComparisonFile): string {
  const comparisons = comparisonsIn(file);
  const title = `${comparisons.map(({ b }) => b).join(', ')} against ${comparisons[0]?.a ?? 'nothing'}`;
  return drawDocument({
    title: `${title}: Headgate load test`,
    main: drawHead(title, comparisons) + comparisons.map(drawDifferences).join(''),
    data: { id: 'comparison', value: file },
  });
}

/** What is the same for all is said once. */
function drawHead(title: string, comparisons: readonly Comparison[]): string {
  const facts = new Set(
    comparisons.flatMap(({ repetitions, confidence, isSimulated }) => [
      `${repetitions} paired repetitions of one schedule; each interval holds the truth in ${describeShare(confidence)} of cases`,
      ...(isSimulated ? [simulatedNote] : []),
    ]),
  );
  const notices = new Set(
    comparisons.flatMap(({ reasons }) => reasons.map((reason) => element('li', {}, escaped(reason)))),
  );
  return element(
    'header',
    {},
    element('p', { class: 'kind' }, 'Headgate load test, comparison'),
    element('div', { class: 'title' }, element('h1', {}, escaped(title))),
    ...[...facts].map((fact) => element('p', { class: 'facts' }, escaped(fact))),
    notices.size === 0 ? '' : element('div', { class: 'notice' }, element('ul', {}, ...notices)),
  );
}

function drawDifferences({ a, b, differences }: Comparison, at: number): string {
  if (differences.length === 0) return '';
  return drawFigure({
    // One of a kind, as all that scripts and links go by.
    id: at === 0 ? 'differences' : `differences-${at + 1}`,
    title: `What ${b} has more than ${a}`,
    note: 'Durations and rates in percent, shares in points. A ring is one repetition, the bar the interval, the diamond the mean; a bar across the line of 0 shows no difference.',
    legend: [],
    drawing: drawIntervals(differences),
    table: {
      caption: `Differences of ${b} from ${a}`,
      rowHead: 'metric',
      rowLabels: differences.map(({ metric, unit, verdict }) => `${metric} in ${unitNames[unit]}: ${verdict}`),
      columns: columnsOf(a, b, differences),
    },
  });
}

function columnsOf(a: string, b: string, differences: readonly Difference[]): Column[] {
  const inItsUnit = (one: Difference, value: number): number => (one.unit === 'share' ? 100 * value : value);
  const medians = (side: 'a' | 'b'): number[] => differences.map((one) => inItsUnit(one, middleOf(one[side].values)));
  const bound = (key: 'difference' | 'low' | 'high', label: string): Column => ({
    key,
    label: `${label}, % or points`,
    values: differences.map((one) => one[key]),
    describe: (value) => describeDifference({ kind: 'relative' }, value ?? 0).replace(' %', ''),
  });
  return [
    { key: 'a', label: `${a}, median`, values: medians('a'), describe: describeFigure },
    { key: 'b', label: `${b}, median`, values: medians('b'), describe: describeFigure },
    bound('difference', 'difference'),
    bound('low', 'from'),
    bound('high', 'to'),
  ];
}

function drawIntervals(differences: readonly Difference[]): string {
  const bottom = paper.top + differences.length * paper.row;
  const farthest = Math.max(...differences.flatMap((one) => [one.low, one.high, ...repetitionsOf(one)]).map(Math.abs));
  const ticks = roundTicks(100 * farthest, 3).map((percent) => percent / 100);
  const most = ticks.at(-1) ?? 1;
  const x = scale('linear', [-most, most], [paper.left, paper.right]);
  const signed = [...ticks.slice(1).map((value) => -value), ...ticks];
  const grid = signed.map((value) => drawTick(value, x, bottom));
  return element(
    'svg',
    {
      viewBox: `0 0 ${paper.width} ${bottom + paper.foot}`,
      role: 'img',
      'aria-label': 'Differences with their intervals: the table below has the figures.',
      'data-x-scale': `linear ${-most} ${most} ${paper.left} ${paper.right}`,
    },
    element('g', { class: 'grid' }, ...grid),
    ...differences.map((one, at) => drawInterval(one, paper.top + (at + 0.5) * paper.row, x)),
  );
}

function drawTick(value: number, x: Scale, bottom: number): string {
  const at = coordinate(x.place(value));
  const label = `${value > 0 ? '+' : ''}${Number((100 * value).toPrecision(6))} %`;
  const line = element('line', { x1: at, x2: at, y1: paper.top, y2: bottom, class: value === 0 ? 'zero' : null });
  return line + element('text', { x: at, y: bottom + 20, class: 'tick middle' }, label);
}

const marks = { better: '✓ better', worse: '✕ worse', 'no difference shown': '○ no difference shown' } as const;

function drawInterval(one: Difference, middle: number, x: Scale): string {
  const [low, high, mean] = [one.low, one.high, one.difference].map((value) => x.place(value));
  const [left, right, centre] = [coordinate(low ?? 0), coordinate(high ?? 0), coordinate(mean ?? 0)];
  const rings = repetitionsOf(one).map((value) =>
    element('circle', { class: 'ring', cx: coordinate(x.place(value)), cy: middle - 9, r: 3 }),
  );
  const bar = `M${left} ${middle - 4}V${middle + 4}M${right} ${middle - 4}V${middle + 4}M${left} ${middle}H${right}`;
  const diamond = `M${centre} ${middle - 6}l6 6l-6 6l-6 -6Z`;
  const tone = { better: 'good', worse: 'bad', 'no difference shown': 'neither' }[one.verdict];
  return element(
    'g',
    { class: `interval ${tone}`, 'data-metric': one.metric, 'data-low': left, 'data-high': right, 'data-mean': centre },
    element('text', { x: paper.left - 14, y: middle + 4, class: 'end' }, escaped(one.metric)),
    ...rings,
    element('path', { class: 'range', d: bar }),
    element('path', { class: 'mean', d: diamond }),
    element('text', { x: paper.right + 20, y: middle + 4, class: 'verdict' }, marks[one.verdict]),
  );
}

/** What each repetition alone says. */
function repetitionsOf({ a, b, kind }: Difference): number[] {
  return a.values.map((ofA, at) => {
    const ofB = b.values[at] ?? ofA;
    return kind === 'absolute' ? ofB - ofA : ofA === ofB ? 0 : ofB / Math.max(ofA, 0.001) - 1;
  });
}
