import type { Replica } from './balance/replica.ts';
import type { ReplicaState } from './balance/replica-state.ts';
import type { Clock } from './kernel/clock.ts';
import type { Rng } from './kernel/rng.ts';
import type { BackendSettings } from './settings/settings.ts';
import type { Log } from './telemetry/log.ts';
import { dialects } from './upstream/dialects/registry.ts';
import { Scraper } from './upstream/scrape.ts';
import type { Reachable, Transport } from './upstream/transport.ts';

interface Parts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly transport: Transport;
  readonly log: Log;
}

/** Reads a replica's load off its metrics page for as long as it is ready, where its backend says so. Gives what ends it. */
export function beginScraping(replica: Replica, { scrape, timeouts }: BackendSettings, parts: Parts): () => void {
  if (scrape === null) return () => {};
  const { transport, clock, rng, log } = parts;
  const { state, fullName } = replica;
  const at = scrape.port === null ? replica : onPort(replica, scrape.port);
  if (at !== replica) transport.hold(at, timeouts.connectMs);
  const facts = { replica: fullName, page: at.address.origin + at.address.basePath + scrape.path };
  const scraper = new Scraper({
    ...scrape,
    at,
    state,
    dialect: dialects[scrape.dialect],
    phaseShare: rng.next(),
    transport,
    clock,
    tell(trouble) {
      if (trouble === null) log.info(facts, 'the metrics page tells the load again');
      else log.warn({ ...facts, dialect: scrape.dialect, reason: trouble }, 'the metrics page does not tell the load');
    },
  });
  const follow = (): void => (state.standing === 'ready' ? scraper.start() : scraper.stop());
  follow();
  const undo = state.changed.subscribe(follow);
  return () => {
    undo();
    scraper.close();
    if (at !== replica) transport.forget(at).catch((error) => log.error(error, 'a connection did not end well'));
  };
}

/** Beside the replica, with connections of its own. */
function onPort({ fullName, address }: Replica, port: number): Reachable {
  const url = new URL(address.origin);
  url.port = String(port);
  return { fullName, address: { ...address, origin: url.origin, basePath: '' }, state: {} };
}

/** Warns of the first fault of each kind in what a replica says of its load; they may come with every answer. */
export function warnOfFaults({ reportFaults }: ReplicaState, name: () => string, log: Log): () => void {
  return reportFaults.first.subscribe(({ kind, what }) =>
    log.warn({ replica: name(), kind, reason: what }, 'a load report cannot be read; further ones are only counted'),
  );
}
