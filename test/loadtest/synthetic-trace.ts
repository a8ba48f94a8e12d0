import { seededRng } from '../../gateway/kernel/rng.ts';
import { gapOf } from '../../loadtest/arrivals/gaps.ts';
import { lognormal } from '../../loadtest/model-server/draws.ts';

/**
 * A trace in the format of Azure's, with the statistics of that of 2023: 5.53 requests a second, gaps with a squared coefficient of
 * variation of 1.197, 1,155 tokens in and 211 out on average.
 */
export function azureLike(rows: number, seed = 1): string {
  const rng = seededRng(seed);
  const gap = gapOf(1 / 1.197);
  const startMs = Date.UTC(2023, 10, 16, 18, 15, 46);
  let tenths = 6_805_900;
  const lines = Array.from({ length: rows }, () => {
    const date = new Date(startMs + Math.floor(tenths / 10_000_000) * 1000)
      .toISOString()
      .slice(0, 19)
      .replace('T', ' ');
    const line = `${date}.${String(tenths % 10_000_000).padStart(7, '0')},${tokens(1155)},${tokens(211)}`;
    tenths += Math.round((gap(rng) / 5.53) * 10_000_000);
    return line;
  });
  return ['TIMESTAMP,ContextTokens,GeneratedTokens', ...lines].join('\r\n');

  function tokens(mean: number): number {
    return Math.max(1, Math.round(mean * lognormal(rng, 1)));
  }
}

/**
 * A trace in the format of Mooncake's, with the statistics of that of conversations: in clumps every 3 s of some ten requests each,
 * whose prompts all begin with block 0 and share 37 % of their blocks with the beginnings of earlier ones: of any, or of so many before them.
 */
export function mooncakeLike(rows: number, { seed = 1, meanTokens = 12_000, recent = rows } = {}): string {
  const rng = seededRng(seed);
  const earlier: number[][] = [];
  let fresh = 1;
  let timestamp = 0;
  const lines = Array.from({ length: rows }, () => {
    if (rng.next() < 0.1) timestamp += 2999 + rng.below(3);
    const inputTokens = Math.max(891, Math.round(meanTokens * lognormal(rng, 0.8)));
    const count = Math.ceil(inputTokens / 512);
    const oldest = Math.max(0, earlier.length - recent);
    const shared = (earlier[oldest + rng.below(Math.max(1, earlier.length - oldest))] ?? [0]).slice(
      0,
      Math.ceil(count * 0.95 * rng.next()),
    );
    // A last block that is not full is nobody else's.
    const blocks = shared.length < count ? shared : shared.slice(0, count - 1);
    while (blocks.length < count) blocks.push(fresh++);
    earlier.push(blocks.slice(0, -1));
    return JSON.stringify({
      timestamp,
      input_length: inputTokens,
      output_length: 1 + rng.below(685),
      hash_ids: blocks,
    });
  });
  return `${lines.join('\n')}\n`;
}
