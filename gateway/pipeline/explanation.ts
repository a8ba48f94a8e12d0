import type { Candidate, Decision } from '../balance/decision.ts';

/** Heads of more than a few KiB are refused on the way by some. */
const longestChars = 4096;

/** So that no name fills all of it. */
const longestNameChars = 256;

/** Room for the last member of a list that was cut short. */
const reserveChars = 32;

/**
 * Why a request got its replica, as a list of structured fields (RFC 9651): the decision, then every replica of the backend, the cheapest first,
 * with its price or with what spoke against it. Of a large backend the first ones, and how many there are more.
 */
export function explanationOf({ backend, policy, unit, preference, picked, waitedMs, candidates }: Decision): string {
  const by = `${policy};backend=${quote(backend)};picked=${picked === null ? '?0' : quote(picked)}`;
  const first = preference === null ? '' : `;first=${preference}`;
  let text = `${by}${first};unit=${unit};waited=${figure(waitedMs)}`;
  for (const [at, candidate] of candidates.entries()) {
    const member = `, ${describe(candidate)}`;
    if (text.length + member.length > longestChars - reserveChars)
      return `${text}, more;count=${candidates.length - at}`;
    text += member;
  }
  return text;
}

function describe(candidate: Candidate): string {
  const { replica } = candidate;
  return 'price' in candidate
    ? `${quote(replica)};price=${figure(candidate.price)}`
    : `${quote(replica)};out=${candidate.out}`;
}

/** As structured fields have decimals: at most twelve digits before the point, and three behind it. */
function figure(value: number): string {
  return String(Math.round(Math.min(value, 1e12 - 1) * 1000) / 1000);
}

/** Names in the configuration may hold characters that headers may not. */
function quote(name: string): string {
  const text = /^[ -~]*$/.test(name) ? name : encodeURI(name.toWellFormed());
  return `"${text.slice(0, longestNameChars).replace(/["\\]/g, '\\$&')}"`;
}
