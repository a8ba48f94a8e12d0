import { element, escaped } from './markup.ts';

/** One column of a table; the text is made of the value that stands in `data-value`. */
export interface Column {
  readonly key: string;
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly describe: (value: number | null) => string;
}

/** A table whose rows may belong to places of a chart. */
export interface Table {
  readonly caption: string;
  readonly rowHead: string;
  readonly rowLabels: readonly string[];
  /** Coordinates of the rows on the chart's paper, where it has such. */
  readonly rowPlaces?: readonly number[];
  readonly columns: readonly Column[];
}

/** A table as markup. */
export function drawTable({ caption, rowHead, rowLabels, rowPlaces, columns }: Table): string {
  const head = [rowHead, ...columns.map(({ label }) => label)].map((label) =>
    element('th', { scope: 'col' }, escaped(label)),
  );
  const rows = rowLabels.map((label, at) =>
    element(
      'tr',
      { 'data-place': rowPlaces?.[at] },
      element('th', { scope: 'row' }, escaped(label)),
      ...columns.map(({ key, values, describe }) => {
        const value = values[at] ?? null;
        return element('td', { 'data-key': key, 'data-value': JSON.stringify(value) }, escaped(describe(value)));
      }),
    ),
  );
  return element(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': caption },
    element(
      'table',
      {},
      element('caption', { class: 'unseen' }, escaped(caption)),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    ),
  );
}

/** A chart with its words and its figures. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  /** One sentence on what is to be seen. */
  readonly note: string;
  readonly legend: readonly { readonly label: string; readonly sample: string }[];
  readonly drawing: string;
  readonly table: Table;
  /** A long table is folded away, a short one stands beside. */
  readonly isTableShort?: boolean;
}

/** A figure as markup. */
export function drawFigure({ id, title, note, legend, drawing, table, isTableShort = false }: Figure): string {
  const drawn = drawTable(table);
  return element(
    'figure',
    { 'data-chart': id, class: isTableShort ? 'beside' : null, 'aria-labelledby': `${id}-title` },
    element('figcaption', {}, element('h2', { id: `${id}-title` }, escaped(title)), element('p', {}, escaped(note))),
    element(
      'div',
      { class: 'plot' },
      drawKey(legend, table.rowPlaces !== undefined),
      element('div', { class: 'sheet' }, drawing),
    ),
    isTableShort ? drawn : element('details', {}, element('summary', {}, 'The figures as a table'), drawn),
  );
}

/** The legend, and room for what is read off the chart where that can be done. */
function drawKey(legend: Figure['legend'], isReadable: boolean): string {
  if (legend.length === 0 && !isReadable) return '';
  const items = legend.map(({ label, sample }) => element('li', {}, sample, escaped(label)));
  return element(
    'div',
    { class: 'key' },
    items.length === 0 ? '' : element('ul', { class: 'legend' }, ...items),
    isReadable ? element('output', { class: 'readout', 'aria-live': 'polite' }) : '',
  );
}

/** A piece of a line as the legend shows it. */
export function lineSample(stroke: string): string {
  const line = element('path', { class: `line ${stroke}`, d: 'M1 6H27' });
  return element('svg', { viewBox: '0 0 28 12', class: 'sample', 'aria-hidden': 'true' }, line);
}

/** A piece of a layer as the legend shows it. */
export function layerSample(key: string): string {
  const rect = element('path', { class: `layer ${key}`, d: 'M1 1H13V11H1Z' });
  return element('svg', { viewBox: '0 0 14 12', class: 'sample small', 'aria-hidden': 'true' }, rect);
}
