import { compare } from './compare.ts';
import { gateCost } from './gate-cost.ts';
import { freePort, startBareRelay, startHeadgate, startNginx, startScript } from './peers.ts';
import { chats, digits } from './workloads.ts';

/** Starts the peers in front of one backend and compares them, workload by workload. */
async function main({ rounds, sliceMs }: { rounds: number; sliceMs: number }): Promise<void> {
  const backendPort = await freePort();
  const backend = await startScript('stub-backend.ts', backendPort);
  const started = [await startBareRelay(backendPort), await startHeadgate(backendPort), await startNginx(backendPort)];
  const peers = started.filter((peer) => peer !== null);
  try {
    for (const workload of [digits, chats]) {
      const progress = (round: number): void => {
        process.stderr.write(`${workload.unit}s: round ${round} of ${rounds}\n`);
      };
      process.stdout.write(`${await compare(workload, peers, { rounds, sliceMs, progress })}\n\n`);
    }
  } finally {
    for (const peer of peers) peer.stop();
    backend.kill();
  }
  if (peers.length < started.length) process.stdout.write('missing: nginx (apt-get install nginx-light)\n');
}

if (process.argv[2] === 'gate') process.stdout.write(gateCost());
else {
  const [rounds = 25, sliceMs = 1000] = process.argv.slice(2).map(Number);
  await main({ rounds, sliceMs });
}
