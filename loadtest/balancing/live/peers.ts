import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening } from '../../bench/peer.ts';
import { profileOf } from './fleets.ts';
import { haproxyConfig, headgateConfig, type LiveServer, nginxConfig } from './proxies.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'gateway', 'main.ts');

/** Something in front of the fleet. */
export interface LivePeer {
  readonly name: string;
  readonly port: number;
}

interface Parts {
  readonly servers: readonly LiveServer[];
  /** Of those in front of them: seven are used. */
  readonly firstPort: number;
  /** For configurations and what programs leave behind. */
  readonly folder: string;
}

/** The fleet and all that is compared in front of it, as processes of their own. */
export class LivePeers {
  readonly peers: readonly LivePeer[];
  readonly #parts: Parts;
  readonly #children: ChildProcess[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    const names = [
      'Headgate',
      'HAProxy leastconn',
      'nginx random two least_conn',
      'HAProxy leastconn, weights and maxconn',
      'Headgate, told nothing',
    ];
    // The last two are for operators.
    this.peers = names.map((name, at) => ({ name, port: parts.firstPort + at }));
  }

  /** Resolves when all listen. */
  async start(): Promise<void> {
    const { servers, firstPort, folder } = this.#parts;
    for (const [at, server] of servers.entries()) {
      const profile = this.#write(`s${at}.yaml`, profileOf(server));
      const args = [
        'simulate-model',
        '--kind',
        'tensor',
        '--port',
        `${server.port}`,
        '--profile',
        profile,
        '--seed',
        `${at + 1}`,
      ];
      await this.#spawn('node', server.port, [process.execPath, program, ...args]);
    }
    for (const [port, adminPort, isTold] of [
      [firstPort, firstPort + 5, true],
      [firstPort + 4, firstPort + 6, false],
    ] as const) {
      const config = this.#write(`headgate-${port}.yaml`, headgateConfig(servers, [port, adminPort], isTold));
      await this.#spawn('headgate', port, [process.execPath, program, 'serve', '--config', config]);
    }
    for (const [port, isWeighted] of [
      [firstPort + 1, false],
      [firstPort + 3, true],
    ] as const) {
      const config = this.#write(`haproxy-${port}.cfg`, haproxyConfig(servers, port, isWeighted));
      await this.#spawn('haproxy', port, ['haproxy', '-f', config, '-db']);
    }
    const nginx = this.#write('nginx.conf', nginxConfig(servers, firstPort + 2, folder));
    await this.#spawn('nginx', firstPort + 2, ['nginx', '-c', nginx, '-p', folder]);
  }

  close(): void {
    for (const child of this.#children) child.kill();
  }

  #write(name: string, text: string): string {
    const file = join(this.#parts.folder, name);
    writeFileSync(file, text);
    return file;
  }

  async #spawn(name: string, port: number, [command = '', ...args]: readonly string[]): Promise<void> {
    const child = spawn(command, args, { stdio: 'ignore' });
    this.#children.push(child);
    await listening(name, port, child);
  }
}
