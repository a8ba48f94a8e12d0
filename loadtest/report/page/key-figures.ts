import type { Summary } from '../summary.ts';
import { describeCount, describeFigure, describeMs, describeRate, describeShare, describeSlos } from '../wording.ts';
import { element, escaped } from './markup.ts';

interface KeyFigure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

/** The handful of figures that a run comes down to. */
export function drawKeyFigures(summary: Summary): string {
  const items = keyFiguresOf(summary).map(({ name, value, note }) =>
    element(
      'div',
      {},
      element('dt', {}, escaped(name)),
      element('dd', {}, escaped(value), element('small', {}, escaped(note))),
    ),
  );
  return element('dl', { class: 'figures' }, ...items);
}

function keyFiguresOf({ run, goodput, latency: { ok }, requests, streams, verdict, slos }: Summary): KeyFigure[] {
  const { offered, upstream } = requests;
  const unanswered = offered - requests.outcomes.ok;
  const firstToken = streams.timeToFirstToken;
  const bounds = describeSlos(slos) || 'no SLO set';
  const sends =
    upstream === null
      ? `${describeCount(offered)} requests`
      : `${describeFigure(upstream.perOffered)} sends upstream for each`;
  return [
    { name: 'Goodput', value: describeShare(goodput.share), note: `${describeRate(goodput.perSecond)}; ${bounds}` },
    { name: 'Offered', value: describeRate(requests.perSecond), note: sends },
    { name: 'p50', value: describeMs(ok?.p50Ms ?? null), note: 'latency of answers' },
    { name: 'p99', value: describeMs(ok?.p99Ms ?? null), note: `p99.9 ${describeMs(ok?.p999Ms ?? null)}` },
    ...(firstToken === null
      ? []
      : [{ name: 'TTFT p99', value: describeMs(firstToken.p99Ms), note: `p50 ${describeMs(firstToken.p50Ms)}` }]),
    {
      name: 'Not answered',
      value: describeShare(offered === 0 ? null : unanswered / offered),
      note: `${describeCount(unanswered)} requests`,
    },
    ...(run.isSimulated
      ? []
      : [
          {
            name: 'Lag p99',
            value: describeMs(verdict.scheduleLagP99Ms),
            note: `of the sends, bound ${describeMs(verdict.boundMs)}`,
          },
        ]),
  ];
}
