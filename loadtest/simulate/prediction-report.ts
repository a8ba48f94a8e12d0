import { describeDifference } from '../compare/comparison-sections.ts';
import { drawDocument } from '../report/page/document.ts';
import { type Column, drawTable } from '../report/page/figure.ts';
import { element, escaped } from '../report/page/markup.ts';
import { type Section, tableOf } from '../report/sections.ts';
import { describeFigure, describeValue, nothing } from '../report/wording.ts';
import type { Prediction, PredictionRow } from './prediction.ts';

const title = 'Predicted beside measured';

/** A prediction in words and a table. */
export function predictionSections(prediction: Prediction): Section[] {
  const { notes, rows } = prediction;
  return [
    {
      title,
      lines: [factsOf(prediction), ...notes],
      table: tableOf(
        ['metric', 'predicted', 'measured', 'difference'],
        rows.map((one) => [
          one.metric,
          describeOrNothing(one, one.predicted),
          describeOrNothing(one, one.measured),
          differenceOf(one),
        ]),
      ),
    },
  ];
}

/** A prediction as one HTML file that needs nothing else. */
export function drawPredictionPage(prediction: Prediction): string {
  const { notes, rows } = prediction;
  const items = notes.map((note) => element('li', {}, escaped(note)));
  const head = element(
    'header',
    {},
    element('p', { class: 'kind' }, 'Headgate load test, prediction'),
    element('div', { class: 'title' }, element('h1', {}, title)),
    element('p', { class: 'facts' }, escaped(factsOf(prediction))),
    items.length === 0 ? '' : element('div', { class: 'notice' }, element('ul', {}, ...items)),
  );
  const table = drawTable({
    caption: 'Each figure as it was predicted and as it was measured',
    rowHead: 'metric',
    rowLabels: rows.map(({ metric, unit }) => `${metric}, ${unitNames[unit]}`),
    columns: [
      columnOf('predicted', rows),
      columnOf('measured', rows),
      {
        key: 'difference',
        label: 'difference, % or points',
        values: rows.map(({ difference }) => difference),
        describe: (value) =>
          value === null ? nothing : describeDifference({ kind: 'relative' }, value).replace(' %', ''),
      },
    ],
  });
  return drawDocument({
    title: `${title}: Headgate load test`,
    main: head + element('section', { class: 'durations', 'data-chart': 'prediction' }, table),
    data: { id: 'prediction', value: prediction },
  });
}

const unitNames = { ms: 'ms', share: '%', 'per second': '1/s', count: 'times' } as const;

function columnOf(key: 'predicted' | 'measured', rows: readonly PredictionRow[]): Column {
  return {
    key,
    label: key,
    values: rows.map((one) => (one[key] !== null && one.unit === 'share' ? 100 * one[key] : one[key])),
    describe: describeFigure,
  };
}

function factsOf({ predicted, measured }: Prediction): string {
  return `${predicted.target} as simulated with seed ${predicted.seed}, and ${measured.target} as measured at ${measured.startedAt}`;
}

function describeOrNothing({ unit }: PredictionRow, value: number | null): string {
  return value === null ? nothing : describeValue(value, unit);
}

function differenceOf({ unit, difference }: PredictionRow): string {
  if (difference === null) return nothing;
  return describeDifference({ kind: unit === 'share' ? 'absolute' : 'relative' }, difference);
}
