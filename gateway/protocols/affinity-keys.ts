import { crc32 } from 'node:zlib';
import { headerOf } from '../pipeline/headers.ts';
import type { ReadAffinity } from '../pipeline/protocol.ts';
import { findMember, findMembers, parseValue } from './json-skim.ts';
import { promptNames } from './named-model.ts';

/** Reads the session of a request: the value of a header. */
export function sessionInHeader(name: string): ReadAffinity {
  return ({ headers }) => ({ prefix: null, sessionKey: headerOf(headers, name) });
}

/** The same from a member of a JSON body; one that is no text is as good as none. */
export function sessionInField(name: string): ReadAffinity {
  return (_head, content) => {
    const at = findMember(content, 0, name);
    const value = at < 0 ? null : parseValue(content, at);
    return { prefix: null, sessionKey: typeof value === 'string' ? value : null };
  };
}

/** Hashes the prompt of a chat or a completion block by block, as it stands in the body: messages that are the same are mostly written the same. */
export const prefixOfPrompt: ReadAffinity = (_head, content) => {
  const { at, end } = findMembers(content, 0, promptNames);
  const name = promptNames.find((one) => at[one] >= 0);
  return {
    prefix: name === undefined ? null : beginningsOf(content.subarray(at[name], end[name])),
    sessionKey: null,
  };
};

const firstBlockBytes = 512;
const blocksToDouble = 8;
const mostBlocks = 64;

/**
 * A hash of each beginning of a text that ends at the end of a block. Blocks grow with what lies before them, from an eighth of it to a
 * sixteenth, so that 64 of them are 512 KiB: about 128,000 tokens. The last block, which is not full, is in none.
 */
function beginningsOf(text: Uint8Array): number[] {
  const hashes: number[] = [];
  let hash = 0;
  let at = 0;
  let blockBytes = firstBlockBytes;
  while (at + blockBytes <= text.length && hashes.length < mostBlocks) {
    // Continued from block to block, it is the sum of the whole beginning.
    hash = crc32(text.subarray(at, at + blockBytes), hash);
    hashes.push(hash);
    at += blockBytes;
    if (at === 2 * blocksToDouble * blockBytes) blockBytes *= 2;
  }
  return hashes;
}
