/** Every name under which the gateway and its workers tell figures: written once, so that documentation and dashboards can be held against it. */
export const metricNames = {
  requests: 'headgate_requests_total',
  refusals: 'headgate_refusals_total',
  requestDuration: 'headgate_request_duration_seconds',
  overhead: 'headgate_overhead_seconds',
  timeToFirstByte: 'headgate_time_to_first_byte_seconds',
  queueDepth: 'headgate_queue_depth',
  queueWait: 'headgate_queue_wait_seconds',
  replicaInFlight: 'headgate_replica_in_flight',
  replicaReportedQueue: 'headgate_replica_reported_queue',
  replicaGate: 'headgate_replica_gate',
  replicaStanding: 'headgate_replica_standing',
  tries: 'headgate_tries_total',
  leasesReleasedTwice: 'headgate_leases_released_twice_total',
  workerBatchSize: 'headgate_worker_batch_size',
  workerQueueDepth: 'headgate_worker_queue_depth',
  workerInference: 'headgate_worker_inference_seconds',
} as const;
