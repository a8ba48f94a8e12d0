import { Gauge, Registry } from 'prom-client';
import { FastHistogram, type Observations } from './histogram.ts';
import { metricNames } from './names.ts';

const batchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** A worker's metrics, and where it tells what they are made of. */
export interface WorkerMetrics {
  readonly registry: Registry;
  /** A batch has been computed. */
  batch(model: string, rows: number, tookMs: number): void;
}

/** Labels come from the models that were loaded: a closed set. */
export function workerMetrics(queued: () => number): WorkerMetrics {
  const registry = new Registry();
  const sizes = new FastHistogram({
    name: metricNames.workerBatchSize,
    help: 'Rows computed at once.',
    registry,
    bounds: batchBounds,
  });
  const times = new FastHistogram({ name: metricNames.workerInference, help: 'Time of one computation.', registry });
  new Gauge({
    name: metricNames.workerQueueDepth,
    help: 'Requests that wait for the model.',
    registers: [registry],
    collect() {
      this.set(queued());
    },
  });
  const byModel = new Map<string, { size: Observations; time: Observations }>();
  return {
    registry,
    batch(model, rows, tookMs) {
      let counts = byModel.get(model);
      if (counts === undefined) {
        counts = { size: sizes.child({ model }), time: times.child({ model }) };
        byModel.set(model, counts);
      }
      counts.size.observe(rows);
      counts.time.observe(tookMs / 1000);
    },
  };
}
