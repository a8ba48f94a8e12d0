import { numberOrText } from './report-draft.ts';

/** One line of a metrics page. */
interface Sample {
  /** As it stands between the braces; empty where there are none. */
  readonly labels: string;
  /** A text where it is no number. */
  readonly value: number | string;
}

/** The rest of a line behind the name: labels, in which a quoted value may hold anything, then the value and perhaps an instant. */
const behindName = /^(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)/;

/** A longer line is nobody's gauge; it is not looked through. */
const longestLine = 4096;

/**
 * The samples of one metric on a page in Prometheus' text format (version 0.0.4, or OpenMetrics). A page has a thousand lines of which a
 * few are wanted, several times a second: they are looked for by name, and nothing else is taken apart.
 */
export function* samplesOf(page: string, name: string): Generator<Sample> {
  for (let at = page.indexOf(name); at >= 0; at = page.indexOf(name, at + name.length)) {
    if (at > 0 && page[at - 1] !== '\n') continue;
    const end = page.indexOf('\n', at);
    const line = page.slice(at + name.length, end < 0 ? page.length : end);
    if (line.length > longestLine) continue;
    const [, labels = '', value] = behindName.exec(line) ?? [];
    if (value !== undefined) yield { labels, value: numberOrText(value) };
  }
}

/** Whether a sample's labels hold one of a value; in neither is anything that would be written otherwise. */
export function hasLabel(labels: string, name: string, value: string): boolean {
  return `,${labels}`.replaceAll(', ', ',').includes(`,${name}="${value}"`);
}
