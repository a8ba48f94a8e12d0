import type { Replica } from '../balance/replica.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Body, BodyEnd } from '../pipeline/reply.ts';
import { askReplica, whyNoAnswer } from './ask-replica.ts';
import { reportAsk } from './headers.ts';
import { hearReport } from './hear-report.ts';
import type { Transport } from './transport.ts';

interface Options {
  readonly path: string;
  readonly timeoutMs: number;
  /** The first status that speaks against the replica. */
  readonly unwellFromStatus: number;
  /** A load report is asked for, too: the only one to be had of a replica that gets no requests. */
  readonly wantsReport: boolean;
  readonly clock: Clock;
}

/** These often repeat the credential, which is ours and for no log. */
const credentialRefusals: readonly number[] = [401, 402, 403];

/** Asks a replica for its health over the connections that requests use. Null when it is well, else what is wrong. Judged by status alone: servers disagree about the body. */
export async function checkHealth(
  replica: Replica,
  transport: Transport,
  { path, timeoutMs, unwellFromStatus, wantsReport, clock }: Options,
): Promise<string | null> {
  const headers = wantsReport ? [...reportAsk] : [];
  try {
    const reply = await askReplica(replica, transport, { path, timeoutMs, headers, clock });
    if (wantsReport) hearReport(replica, reply, 'probe');
    const secrets = secretsOf(replica.address.headers);
    const { end, beginning } = await readThrough(reply.body, secrets);
    if (end !== 'complete') return `GET ${path}: the answer broke off`;
    if (reply.status < unwellFromStatus) return null;
    const isTold = beginning !== '' && !credentialRefusals.includes(reply.status);
    return `GET ${path}: status ${reply.status}${isTold ? `: ${beginning}` : ''}`;
  } catch (thrown) {
    return `GET ${path}: ${whyNoAnswer(thrown)}`;
  }
}

/** Of what a replica says of itself, this much is worth a place in a log. */
const keptBytes = 300;

/** What may be a credential, longest first: the values of a replica's own headers, and what stands behind a scheme in them. Replicas may repeat what they were sent. */
function secretsOf(headers: Readonly<Record<string, string>>): Buffer[] {
  const texts = Object.values(headers).flatMap((value) => [value, value.slice(value.indexOf(' ') + 1)]);
  return texts
    .filter((text) => text !== '')
    .map((text) => Buffer.from(text))
    .toSorted((a, b) => b.length - a.length);
}

/** Stands in the place of every byte of a secret until the text has been cut. */
const hidden = 0;

/** Reads a body to its end and keeps its beginning, with secrets masked. */
function readThrough(body: Body, secrets: readonly Buffer[]): Promise<{ end: BodyEnd; beginning: string }> {
  // A secret that begins within what is told is kept whole, else it could not be known.
  const wantedBytes = keptBytes + (secrets[0]?.length ?? 0);
  let kept = Buffer.alloc(0);
  return new Promise((resolve) => {
    body.pump({
      chunk(bytes) {
        if (kept.length < wantedBytes) kept = Buffer.concat([kept, bytes]);
        return true;
      },
      onDrain: (call) => call(),
      end: (end) => resolve({ end, beginning: mask(kept, secrets) }),
    });
  });
}

/** The beginning of a text. Masked byte for byte, so that the cut falls where it would have fallen, and no secret before it is left in part. */
function mask(text: Buffer, secrets: readonly Buffer[]): string {
  for (const secret of secrets) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at))
      text.fill(hidden, at, at + secret.length);
  }
  return text.toString('utf8', 0, keptBytes).replaceAll(/\0+/g, '***');
}
