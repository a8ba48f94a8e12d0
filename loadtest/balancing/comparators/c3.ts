import type { LoadReport } from '../../../gateway/balance/load-report.ts';
import type { LoadMeter, LoadSignal, MeterPlace, Ticket } from '../../../gateway/balance/signal.ts';
import { SampleMean } from '../../../gateway/balance/signals/sample-mean.ts';

/** As in Elasticsearch, which ranks its replicas so: what one answer counts. */
const sampleShare = 0.3;

/**
 * C3 (Suresh et al., "C3: cutting tail latency in cloud data stores via adaptive replica selection", NSDI 2015), for the simulation alone: response time less
 * service time, plus the cube of the queue times the service time. Its rate control is left out, as in Elasticsearch.
 */
export const c3: LoadSignal = { name: 'c3', unit: 'ms', newMeter: (place) => new C3Meter(place) };

class C3Meter implements LoadMeter {
  readonly #place: MeterPlace;
  readonly #responseMs = new SampleMean(sampleShare);
  readonly #workMs = new SampleMean(sampleShare);
  readonly #queue = new SampleMean(sampleShare);

  constructor(place: MeterPlace) {
    this.#place = place;
  }

  costOf(): number {
    const { slot } = this.#place;
    const queue = 1 + slot.inFlight + this.#queue.mean;
    return Math.max(0, this.#responseMs.mean - this.#workMs.mean) + queue ** 3 * this.#workMs.mean;
  }

  begin(): Ticket {
    const { clock } = this.#place;
    const sentAtMs = clock.nowMs();
    return {
      report: ({ queued, serviceSeconds }: LoadReport) => {
        if (queued !== null) this.#queue.add(queued);
        if (serviceSeconds !== null) this.#workMs.add(serviceSeconds * 1000);
      },
      firstByte: () => this.#responseMs.add(clock.nowMs() - sentAtMs),
      settle: () => {},
    };
  }
}
