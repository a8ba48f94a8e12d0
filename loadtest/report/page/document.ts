import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { element, embeddedJson, escaped } from './markup.ts';

/** Layers that are told apart by hatching as well as by colour: their classes, and how far apart and how steep the lines are. */
const hatches = [
  ['shed', 6, 45],
  ['limited', 6, 135],
  ['upstream_error', 4, 90],
  ['timeout', 4, 45],
  ['cancelled', 8, 0],
  ['unreachable', 4, 0],
  ['unfinished', 8, 90],
  ['queue', 5, 45],
  ['gateway', 5, 135],
  ['body', 8, 90],
] as const;

/** What stands in a report, and the data it was drawn from. */
export interface Document {
  readonly title: string;
  /** Markup. */
  readonly main: string;
  /** Embedded whole, for programs that are given the page alone. */
  readonly data: { readonly id: string; readonly value: unknown };
}

/** One HTML file that asks for no other: all is drawn already, the script only lets it be read point by point. */
export function drawDocument({ title, main, data }: Document): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    // An icon of no bytes, or the browser would ask for one.
    '<link rel="icon" href="data:,">',
    element('title', {}, escaped(title)),
    `<style>\n${readAsset('style.css')}</style>`,
    '</head>',
    '<body>',
    drawHatches(),
    drawThemes(),
    element('main', {}, main),
    `<script type="application/json" id="${data.id}">${embeddedJson(data.value)}</script>`,
    `<script>\n${readAsset('behaviour.js')}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function drawThemes(): string {
  const choices = [
    ['light dark', 'System'],
    ['light', 'Light'],
    ['dark', 'Dark'],
  ] as const;
  const labels = choices.map(([value, label], at) =>
    element(
      'label',
      {},
      element('input', { type: 'radio', name: 'theme', value, checked: at === 0 ? '' : null }).replace('</input>', ''),
      element('span', {}, label),
    ),
  );
  return element('fieldset', { class: 'themes' }, element('legend', { class: 'unseen' }, 'Colours'), ...labels);
}

function drawHatches(): string {
  const patterns = hatches.map(([name, sizePx, degrees]) =>
    element(
      'pattern',
      {
        id: `hatch-${name}`,
        width: sizePx,
        height: sizePx,
        patternUnits: 'userSpaceOnUse',
        patternTransform: `rotate(${degrees})`,
      },
      element('rect', { class: `ground ${name}`, width: sizePx, height: sizePx }),
      element('rect', { class: 'stripe', width: sizePx, height: Math.max(1, sizePx / 4) }),
    ),
  );
  return element('svg', { class: 'unseen', 'aria-hidden': 'true' }, element('defs', {}, ...patterns));
}

function readAsset(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}
