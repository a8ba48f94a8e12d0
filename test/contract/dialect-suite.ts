import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type LoadReport, silence } from '../../gateway/balance/load-report.ts';
import { ReportFaults } from '../../gateway/balance/report-faults.ts';
import { type Dialect, type PageReading, readPage } from '../../gateway/upstream/dialects/dialect.ts';
import { repetitions } from '../support/counts.ts';

/** A page as a server writes it, and what it means. */
export interface KnownPage {
  readonly name: string;
  readonly text: string;
  readonly means: Partial<LoadReport>;
}

const numRuns = repetitions({ quick: 300, full: 20_000 });
const metricOf = { queued: 'queued', running: 'inFlight', kvUsedShare: 'kvUsedShare' } as const;

/** A line of one of a dialect's metrics. */
function lineOf({ name, label }: Dialect['queued'][number], value: string, more = ''): string {
  const labels = [...(label === undefined ? [] : [`${label[0]}="${label[1]}"`]), ...(more === '' ? [] : [more])];
  return `${name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${value}\n`;
}

function read(page: string, dialect: Dialect): PageReading & { faults: number } {
  const noted = new ReportFaults();
  const reading = readPage(page, dialect, noted);
  return { ...reading, faults: [...noted.counts.values()].reduce((sum, count) => sum + count, 0) };
}

/** What every dialect keeps to. Run it on each entry of the registry, with pages of its own and of others. */
export function dialectSuite(dialect: Dialect, own: readonly KnownPage[], foreign: readonly KnownPage[]): void {
  for (const { name, text, means } of own) {
    it(`is understood on a page of ${name}`, () => {
      const wanted = { report: { ...silence, ...means }, isOfDialect: true, faults: 0 };
      assert.deepEqual(read(text, dialect), wanted);
      assert.deepEqual(read(text.replaceAll('\n', '\r\n'), dialect), wanted, 'with the line ends of Windows');
      assert.deepEqual(read(text.trimEnd(), dialect), wanted, 'without a last line end');
    });
  }

  it('is found on no page of another, nor on one that merely explains it', () => {
    const explained = own.flatMap(({ text }) => text.split('\n').filter((line) => line.startsWith('#'))).join('\n');
    for (const { name, text } of [...foreign, { name: 'empty', text: '' }, { name: 'explained', text: explained }])
      assert.deepEqual(read(text, dialect), { report: null, isOfDialect: false, faults: 0 }, name);
  });

  describe('whose facts', () => {
    for (const fact of ['queued', 'running', 'kvUsedShare'] as const) {
      for (const metric of dialect[fact]) {
        const readFact = (page: string): number | null => read(page, dialect).report?.[metricOf[fact]] ?? null;

        it(`are of all engines and models together: ${metric.name}`, () => {
          const page = lineOf(metric, '0.25', 'engine="0"') + lineOf(metric, '0.5', 'engine="1"');
          assert.equal(readFact(page), fact === 'kvUsedShare' ? 0.5 : 0.75);
        });

        it(`are read whatever their labels hold, and with an instant: ${metric.name}`, () => {
          assert.equal(readFact(lineOf(metric, '1 1788184174081', 'model="a} 7 \\"b\\\\",x="y"')), 1);
          assert.equal(readFact(lineOf(metric, '1e0', 'model="request_type=\\"other\\""')), 1);
        });

        it(`are passed over and noted where one of them cannot be: ${metric.name}`, () => {
          for (const value of ['NaN', '-1', '+Inf', '1e308', 'x', '0x1']) {
            const page = lineOf(metric, '0', 'engine="0"') + lineOf(metric, value, 'engine="1"');
            assert.deepEqual(read(page, dialect), { report: null, isOfDialect: true, faults: 1 }, value);
          }
        });

        it(`are not those of a longer name: ${metric.name}`, () => {
          const longer = lineOf({ ...metric, name: `${metric.name}_total` }, '1');
          const behind = lineOf({ ...metric, name: `x_${metric.name}` }, '1');
          assert.equal(read(longer + behind, dialect).isOfDialect, false);
        });
      }
    }
  });

  it('is looked for without a failure on whatever a page holds', () => {
    const pages = own.map(({ text }) => text);
    const names = Object.values(dialect).flatMap((metrics: Dialect['queued']) => metrics.map(({ name }) => name));
    const cut = fc
      .tuple(fc.constantFrom(...pages), fc.nat(5000), fc.nat(20), fc.string())
      .map(([page, from, count, put]) => page.slice(0, from) + put + page.slice(from + count));
    const lines = fc.array(fc.tuple(fc.constantFrom(...names), fc.string()).map((parts) => parts.join('')));
    const any = fc.oneof(
      fc.string({ maxLength: 200 }),
      cut,
      lines.map((all) => all.join('\n')),
    );
    fc.assert(
      fc.property(any, (page) => {
        const { report, isOfDialect } = read(page, dialect);
        if (report !== null) assert.ok(isOfDialect);
        for (const value of Object.values(report ?? silence))
          assert.ok(value === null || (Number.isFinite(value) && value >= 0));
      }),
      { numRuns },
    );
  });
}
