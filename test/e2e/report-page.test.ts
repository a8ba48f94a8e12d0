import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { compare } from '../../loadtest/compare/compare.ts';
import { comparisonFileOf } from '../../loadtest/compare/comparison.ts';
import { drawComparisonPage } from '../../loadtest/compare/comparison-page.ts';
import { outcomes } from '../../loadtest/measure/record.ts';
import { drawPage } from '../../loadtest/report/page/page.ts';
import type { Summary } from '../../loadtest/report/summary.ts';
import { drawRatePage } from '../../loadtest/search/rate-page.ts';
import { reportOfSweep } from '../../loadtest/search/rate-report.ts';
import { sweep } from '../../loadtest/search/sweep.ts';
import { startBrowser } from '../support/browser.ts';
import { faultyRun, plainFacts, record, summaryOf } from '../support/run-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-report-'));
after(() => rmSync(folder, { recursive: true }));
const browser = await startBrowser({ after });

const hostile = `</script><script>throw 1</script><!-- "&'`;
const withFaults = summaryOf(faultyRun({ seed: 3, seconds: 60, perSecond: 50 }), {
  run: { ...plainFacts.run, name: hostile },
  warmUpMs: 5000,
  untilMs: 60_000,
  slos: { latencyMs: 400, timeToFirstTokenMs: 120, interTokenMs: 80, timePerOutputTokenMs: null },
  bands: [
    { name: 'gpu-b slow', fromMs: 20_000, untilMs: 30_000 },
    { name: '<b>gpu-c</b> fails', fromMs: 36_000, untilMs: 42_000 },
  ],
});

/** The report of a run, opened from its file. */
function open(summary: Summary): Promise<Opened> {
  return openPage(drawPage(summary));
}

interface Opened {
  readonly page: Page;
  /** What the page complained of, or asked the network for. */
  readonly complaints: string[];
}

/** A page from a file, without a network. */
async function openPage(html: string): Promise<Opened> {
  const file = join(folder, 'report.html');
  writeFileSync(file, html);
  const context = await browser.newContext({ offline: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!/^(?:file|data):/.test(request.url())) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  return { page, complaints };
}

/** What the drawings of a page say: each path's points, taken back from paper by the scales. */
interface Drawn {
  readonly series: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly x: readonly string[];
  readonly y: readonly string[];
}

async function drawnIn(page: Page, chart: string): Promise<Drawn> {
  return page.locator(`figure[data-chart="${chart}"] svg[role="img"]`).evaluate((drawing) => {
    const paths = [...drawing.querySelectorAll('[data-series]')].map((path) => {
      const points = [...(path.getAttribute('d') ?? '').matchAll(/[ML]([-\d.]+) ([-\d.]+)(?:V([-\d.]+)H([-\d.]+))?/g)];
      // A column tells its foot, its head and its right edge; a point of a line just its place.
      return [path.getAttribute('data-series'), points.map((match) => match.slice(1).map(Number))];
    });
    const scaleOf = (name: string): string[] => (drawing.getAttribute(name) ?? '').split(' ');
    return { series: Object.fromEntries(paths), x: scaleOf('data-x-scale'), y: scaleOf('data-y-scale') };
  });
}

/** The value at a coordinate. */
function valueAt([kind = '', ...numbers]: readonly string[], at: number): number {
  const [from = 0, to = 0, start = 0, end = 1] = numbers.map(Number);
  const share = (at - start) / (end - start);
  return kind === 'log' ? from * (to / from) ** share : from + share * (to - from);
}

/** What a hundredth of a unit of paper is worth at a value, and a hair. */
function slack([kind = '', ...numbers]: readonly string[], value: number): number {
  const [from = 0, to = 0, start = 0, end = 1] = numbers.map(Number);
  const aUnit = kind === 'log' ? value * Math.log(to / from) : to - from;
  return Math.abs((0.011 * aUnit) / (end - start)) + 1e-9;
}

async function assertLine(
  page: Page,
  chart: string,
  key: string,
  points: readonly (readonly [number, number | null])[],
): Promise<void> {
  const { series, x, y } = await drawnIn(page, chart);
  const wanted = points.filter((point): point is readonly [number, number] => point[1] !== null);
  const drawn = series[key] ?? [];
  assert.ok(wanted.length > 0, `${chart} ${key}: nothing to draw`);
  assert.equal(drawn.length, wanted.length, `${chart} ${key}`);
  for (const [at, [across, value]] of wanted.entries()) {
    const [left = Number.NaN, height = Number.NaN] = drawn[at] ?? [];
    const context = `${chart} ${key} at ${across}: ${valueAt(y, height)}, wanted ${value}`;
    assert.ok(Math.abs(valueAt(x, left) - across) <= slack(x, across), context);
    assert.ok(Math.abs(valueAt(y, height) - value) <= slack(y, value), context);
  }
}

/** The values of a table's column, as the page holds them. */
async function columnOf(page: Page, chart: string, key: string): Promise<unknown[]> {
  const cells = page.locator(`[data-chart="${chart}"] td[data-key="${key}"]`);
  return cells.evaluateAll((found) => found.map((cell) => JSON.parse(cell.getAttribute('data-value') ?? '')));
}

test('the page opens from a file, offline, without a complaint, and holds the summary as it is', async () => {
  const { page, complaints } = await open(withFaults);
  const held = await page.locator('#summary').evaluate((element) => JSON.parse(element.textContent ?? ''));
  assert.deepEqual(held, JSON.parse(JSON.stringify(withFaults)));
  assert.equal(await page.locator('h1').textContent(), hostile);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('every line is drawn through the values of the summary, and its table has them', async () => {
  const { page } = await open(withFaults);
  const { steps, stepMs } = withFaults.series;
  const overTime = {
    latency: ['p50Ms', 'p99Ms', 'maxMs'],
    'in-flight': ['inFlight'],
    'first-token': ['firstTokenP50Ms', 'firstTokenP99Ms'],
  } as const;
  for (const [chart, keys] of Object.entries(overTime))
    for (const key of keys) {
      await assertLine(
        page,
        chart,
        key,
        steps.map((step) => [step.fromMs + stepMs / 2, step[key]]),
      );
      assert.deepEqual(
        await columnOf(page, chart, key),
        steps.map((step) => step[key]),
      );
    }
  const curves = { curve: ['latencyMs', 'serviceMs'], 'token-curve': ['timeToFirstTokenMs', 'interTokenMs'] } as const;
  for (const [chart, keys] of Object.entries(curves))
    for (const key of keys) {
      const points = withFaults.curve.map((point) => [-Math.log10(1 - point.share), point[key]] as const);
      await assertLine(page, chart, key, points);
      assert.deepEqual(
        await columnOf(page, chart, key),
        withFaults.curve.map((point) => point[key]),
      );
    }
  await page.context().close();
});

test('every column, bar and stack is as long as the summary says', async () => {
  const { page } = await open(withFaults);
  const { steps } = withFaults.series;
  const columns = await drawnIn(page, 'outcomes');
  const below = steps.map(() => 0);
  for (const outcome of outcomes) {
    const counts = steps.map((step) => step.outcomes[outcome]);
    const wanted = counts.flatMap((count, at) => {
      const foot = below[at] ?? 0;
      below[at] = foot + count;
      return count === 0 ? [] : [[foot, foot + count]];
    });
    const drawn = (columns.series[outcome] ?? []).map(([, foot = 0, head = 0]) =>
      [foot, head].map((height) => Math.round(valueAt(columns.y, Number(height)))),
    );
    assert.deepEqual(drawn, wanted, outcome);
    if (drawn.length > 0) assert.deepEqual(await columnOf(page, 'outcomes', outcome), counts);
  }
  const bars = await drawnIn(page, 'replicas');
  for (const { name, share } of withFaults.replicas) {
    const right = Number((bars.series[name]?.[0] as readonly number[] | undefined)?.[3]);
    assert.ok(Math.abs(valueAt(bars.x, right) - share) < 1e-3, `${name}: ${valueAt(bars.x, right)} for ${share}`);
  }
  assert.deepEqual(
    await columnOf(page, 'replicas', 'share'),
    withFaults.replicas.map(({ share }) => share),
  );
  const stack = await drawnIn(page, 'time-spent');
  for (const key of ['lagMs', 'queueMs', 'upstreamMs', 'gatewayMs', 'bodyMs'] as const) {
    const [left = 0, , , right = 0] = (stack.series[key]?.[0] ?? []) as readonly number[];
    const length = valueAt(stack.x, right) - valueAt(stack.x, left);
    assert.ok(Math.abs(length - (withFaults.timeSpent?.[key] ?? Number.NaN)) < 0.01, `${key}: ${length}`);
  }
  await page.context().close();
});

test('the ticks of an axis stand where its scale has their values', async () => {
  const { page } = await open(withFaults);
  for (const chart of ['latency', 'outcomes', 'token-curve']) {
    const { x, y } = await drawnIn(page, chart);
    const ticks = await page.locator(`figure[data-chart="${chart}"] .tick`).evaluateAll((found) =>
      found.map((tick) => ({
        isRow: tick.hasAttribute('data-tick-y'),
        value: Number(tick.getAttribute('data-tick-y') ?? tick.getAttribute('data-tick-x')),
        at: tick.hasAttribute('data-tick-y') ? Number(tick.getAttribute('y')) - 4 : Number(tick.getAttribute('x')),
      })),
    );
    assert.ok(ticks.length >= 6, `${chart} has ${ticks.length} ticks`);
    for (const { isRow, value, at } of ticks)
      assert.ok(
        Math.abs(valueAt(isRow ? y : x, at) - value) <= slack(isRow ? y : x, value),
        `${chart}: ${value} at ${at}`,
      );
  }
  await page.context().close();
});

test('faults are shaded for as long as they lasted, with their names and times', async () => {
  const { page } = await open(withFaults);
  const { x } = await drawnIn(page, 'latency');
  const bands = await page.locator('figure[data-chart="latency"] .band').evaluateAll((found) =>
    found.map((band) => ({
      text: band.querySelector('text')?.textContent,
      left: Number(band.querySelector('rect')?.getAttribute('x')),
      width: Number(band.querySelector('rect')?.getAttribute('width')),
    })),
  );
  assert.deepEqual(
    bands.map(({ text, left, width }) => [
      text,
      Math.round(valueAt(x, left) / 100),
      Math.round(valueAt(x, left + width) / 100),
    ]),
    [
      ['gpu-b slow, 20 to 30 s', 200, 300],
      ['<b>gpu-c</b> fails, 36 to 42 s', 360, 420],
    ],
  );
  await page.context().close();
});

test('a chart is read with the arrow keys alone', async () => {
  const { page } = await open(withFaults);
  const drawing = page.locator('figure[data-chart="latency"] svg[role="img"]');
  const readout = page.locator('figure[data-chart="latency"] .readout');
  await drawing.focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key);
  const shownMs = Math.round(withFaults.series.steps[1]?.p50Ms ?? 0);
  assert.match((await readout.textContent()) ?? '', new RegExp(`^1 s p50 ${shownMs} ms, p99 \\d+ ms, max \\d+ ms$`));
  await page.keyboard.press('Escape');
  assert.equal(await readout.textContent(), '');
  await page.context().close();
});

test('the colours follow the system until somebody chooses, and text stands out from them in both', async () => {
  const { page } = await open(withFaults);
  const lightness = (): Promise<number[]> =>
    page.locator('body').evaluate((body) => {
      const styles = body.ownerDocument.defaultView?.getComputedStyle(body);
      return [styles?.backgroundColor, styles?.color].map((colour) =>
        (colour?.match(/\d+/g) ?? [])
          .slice(0, 3)
          .map(Number)
          .reduce((all: number, one: number) => all + one, 0),
      );
    });
  await page.emulateMedia({ colorScheme: 'dark' });
  const [ground = 0, ink = 0] = await lightness();
  assert.ok(ground < 100 && ink > 600, `dark: ${ground} and ${ink}`);
  await page.getByRole('radio', { name: 'System' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('radio', { name: 'Light' }).isChecked(), true);
  const [lightGround = 0, lightInk = 0] = await lightness();
  assert.ok(lightGround > 650 && lightInk < 150, `light: ${lightGround} and ${lightInk}`);
  await page.context().close();
});

test('a run without a single answer, or of one request, is drawn without a complaint', async () => {
  const runs = [
    [],
    [record({ outcome: 'unreachable' })],
    [record({ latencyMs: 0, firstTokenAtMs: 0, outputTokens: 1 })],
  ];
  for (const records of runs) {
    const { page, complaints } = await open(summaryOf(records));
    assert.deepEqual(complaints, []);
    assert.doesNotMatch(await page.locator('main').innerHTML(), /NaN|Infinity|undefined/);
    await page.context().close();
  }
});

test('the page of a comparison draws its intervals where its figures have them', async () => {
  const side = (target: string, latencyMs: number): Summary =>
    summaryOf([record({ latencyMs }), record({ latencyMs: 2 * latencyMs })], { run: { ...plainFacts.run, target } });
  const pairs = Array.from({ length: 8 }, (_, at) => ({ a: side('old', 50 + at), b: side(hostile, 60 - at) }));
  const comparison = compare(pairs, { rng: seededRng(1) });
  const { page, complaints } = await openPage(drawComparisonPage(comparison));
  const held = await page.locator('#comparison').evaluate((element) => JSON.parse(element.textContent ?? ''));
  assert.deepEqual(held, JSON.parse(JSON.stringify(comparison)));
  const { x } = await drawnIn(page, 'differences');
  const drawn = await page
    .locator('.interval')
    .evaluateAll((found) =>
      found.map((interval) => ['metric', 'low', 'high', 'mean'].map((key) => interval.getAttribute(`data-${key}`))),
    );
  assert.deepEqual(
    drawn.map(([metric]) => metric),
    comparison.differences.map(({ metric }) => metric),
  );
  for (const [at, { low, high, difference }] of comparison.differences.entries())
    for (const [nth, value] of [low, high, difference].entries())
      assert.ok(
        Math.abs(valueAt(x, Number(drawn[at]?.[nth + 1])) - value) <= slack(x, value),
        `${drawn[at]}: ${value}`,
      );
  assert.deepEqual(
    await columnOf(page, 'differences', 'high'),
    comparison.differences.map(({ high }) => high),
  );
  assert.equal(await page.locator('h1').textContent(), `${hostile} against old`);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the page of several comparisons has a figure for each', async () => {
  const side = (target: string, latencyMs: number): Summary =>
    summaryOf([record({ latencyMs })], { run: { ...plainFacts.run, target } });
  const comparisons = ['new', hostile].map((b) => {
    const pairs = Array.from({ length: 8 }, (_, at) => ({ a: side('old', 50 + at), b: side(b, 60 - at) }));
    return compare(pairs, { rng: seededRng(1) });
  });
  const { page, complaints } = await openPage(drawComparisonPage(comparisonFileOf(comparisons)));
  assert.equal(await page.locator('h1').textContent(), `new, ${hostile} against old`);
  assert.equal(await page.locator('.facts').count(), 1);
  for (const [at, { differences }] of comparisons.entries()) {
    const chart = at === 0 ? 'differences' : `differences-${at + 1}`;
    assert.deepEqual(
      await columnOf(page, chart, 'high'),
      differences.map(({ high }) => high),
    );
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a comparison of too few pairs says so instead of drawing', async () => {
  const { page, complaints } = await openPage(drawComparisonPage(compare([], { rng: seededRng(1) })));
  assert.match((await page.locator('.notice').textContent()) ?? '', /0 valid pairs are too few/);
  assert.equal(await page.locator('figure').count(), 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the page of a sweep draws latency and good answers over the rates', async () => {
  const measureAt = async (rate: number): Promise<Summary> =>
    summaryOf(
      Array.from({ length: rate }, (_, index) => record({ index, plannedAtMs: index, latencyMs: 1000 / (120 - rate) })),
      { untilMs: 1000 },
    );
  const swept = await sweep([20, 60, 90, 100, 110], measureAt);
  const { page, complaints } = await openPage(drawRatePage(reportOfSweep(swept, hostile)));
  const lines = {
    latency: { p50Ms: ({ latency }: Summary) => latency.ok?.p50Ms, p99Ms: ({ latency }: Summary) => latency.ok?.p99Ms },
    goodput: {
      good: ({ goodput }: Summary) => goodput.perSecond,
      offered: ({ requests }: Summary) => requests.perSecond,
    },
  };
  for (const [chart, keys] of Object.entries(lines))
    for (const [key, of] of Object.entries(keys)) {
      const points = swept.points.map(({ ratePerSecond, summary }) => [ratePerSecond, of(summary) ?? null] as const);
      await assertLine(page, chart, key, points);
      assert.deepEqual(
        await columnOf(page, chart, key),
        points.map(([, value]) => value),
      );
    }
  assert.match((await page.locator('.facts').textContent()) ?? '', /the knee is at 60\.0\/s/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
