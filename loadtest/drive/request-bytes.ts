import type { Payload } from '../arrivals/plan.ts';
import type { Target } from '../scenario/scenario.ts';

/** Makes the bytes of requests to a target; all that does not differ from one to the next is made once. */
export function requestBytesOf({ url, headers }: Target): (payload: Payload) => Buffer {
  const { host, pathname } = new URL(url);
  const prefix = pathname.replace(/\/$/, '');
  const all = { host, 'content-type': 'application/json', 'user-agent': 'headgate-loadtest', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const fixed = ` HTTP/1.1\r\n${lines.join('')}content-length: `;
  return ({ path, body }) => {
    const head = `POST ${prefix}${path}${fixed}${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), body]);
  };
}
