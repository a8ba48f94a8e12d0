import type { Replica } from './balance/replica.ts';
import type { Clock } from './kernel/clock.ts';
import type { BackendSettings } from './settings/settings.ts';
import { askRevision } from './upstream/ask-revision.ts';
import { checkHealth } from './upstream/health-check.ts';
import type { Transport } from './upstream/transport.ts';

interface Parts {
  readonly transport: Transport;
  readonly clock: Clock;
}

/**
 * Asks a replica whether it is well, and if so, what it serves as the models whose answers are shared: that is known before it gets its first
 * request. Null when it is well, whether or not it tells.
 */
export async function checkReplica(
  replica: Replica,
  { health, wantsReports }: BackendSettings,
  { transport, clock }: Parts,
): Promise<string | null> {
  const { revisions } = replica.state;
  const { timeoutMs } = health;
  revisions.ask = (model) =>
    askRevision(replica, transport, { path: `/v2/models/${encodeURIComponent(model)}`, timeoutMs, clock });
  const fault = await checkHealth(replica, transport, { ...health, wantsReport: wantsReports, clock });
  if (fault === null) await revisions.refresh();
  return fault;
}
