import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../summary.ts';
import { drawCurveFigures } from './curve-figures.ts';
import { drawColophon, drawDurations, drawHead } from './head.ts';
import { element, embeddedJson, escaped } from './markup.ts';
import { drawReplicas } from './replica-figure.ts';
import { drawTimeFigures } from './time-figures.ts';
import { drawTimeSpent } from './time-spent-figure.ts';

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

/** A run as one HTML file that needs nothing else: all is drawn already, the script only lets it be read point by point. */
export function drawPage(summary: Summary): string {
  const { run } = summary;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    // An icon of no bytes, or the browser would ask for one.
    '<link rel="icon" href="data:,">',
    element('title', {}, escaped(`${run.name}: Headgate load test`)),
    `<style>\n${readAsset('style.css')}</style>`,
    '</head>',
    '<body>',
    drawHatches(),
    drawThemes(),
    element(
      'main',
      {},
      drawHead(summary),
      drawTimeFigures(summary),
      drawCurveFigures(summary),
      drawReplicas(summary),
      drawTimeSpent(summary),
      drawDurations(summary),
      drawColophon(summary),
    ),
    `<script type="application/json" id="summary">${embeddedJson(summary)}</script>`,
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
