import type { Summary } from '../summary.ts';
import { drawCurveFigures } from './curve-figures.ts';
import { drawDocument } from './document.ts';
import { drawColophon, drawDurations, drawHead } from './head.ts';
import { drawReplicas } from './replica-figure.ts';
import { drawTimeFigures } from './time-figures.ts';
import { drawTimeSpent } from './time-spent-figure.ts';

/** A run as one HTML file that needs nothing else. */
export function drawPage(summary: Summary): string {
  const main = [
    drawHead(summary),
    drawTimeFigures(summary),
    drawCurveFigures(summary),
    drawReplicas(summary),
    drawTimeSpent(summary),
    drawDurations(summary),
    drawColophon(summary),
  ];
  return drawDocument({
    title: `${summary.run.name}: Headgate load test`,
    main: main.join(''),
    data: { id: 'summary', value: summary },
  });
}
