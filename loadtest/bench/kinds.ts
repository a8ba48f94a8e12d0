import { bareRelay, headgate } from './headgate-peer.ts';
import { fastifyProxy, httpProxy, portkey } from './npm-peers.ts';
import type { PeerKind } from './peer.ts';
import { haproxy, nginx } from './proxy-peers.ts';

/** Everything that is compared. The first is the measure. */
export const kinds: readonly PeerKind[] = [bareRelay, headgate, nginx, haproxy, httpProxy, fastifyProxy, portkey];
