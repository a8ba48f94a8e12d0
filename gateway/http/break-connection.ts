import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Calls with the connection as soon as it is an answer's turn on it: behind an earlier answer that is not finished, it has none. Never calls when the client leaves before. */
export function onTurn(outgoing: ServerResponse, call: (socket: Socket) => void): void {
  if (outgoing.socket !== null) call(outgoing.socket);
  else outgoing.once('socket', call);
}

/** Breaks the connection off under an answer. An earlier answer on it is let finish first; of this one nothing is sent then. */
export function breakConnection(outgoing: ServerResponse, how: 'closed' | 'reset' = 'closed'): void {
  if (outgoing.socket === null) onTurn(outgoing, (socket) => socket.destroy());
  else if (how === 'reset') outgoing.socket.resetAndDestroy();
  else outgoing.destroy();
}
