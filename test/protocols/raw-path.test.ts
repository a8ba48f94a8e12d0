import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decoded, rawPathOf, refuseDotSegments } from '../../gateway/protocols/raw-path.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 1000, full: 100_000 });

test('the path of a target is what stands between its host, if any, and its query', () => {
  const targets = {
    '/': '/',
    '/v1/models': '/v1/models',
    '/v1/m%2Fn?a=/b#c': '/v1/m%2Fn',
    '/v1/x?': '/v1/x',
    '/v1/x#y?z': '/v1/x',
    '//v1/x': '//v1/x',
    '/http://h/x': '/http://h/x',
    'http://h/v1/x?y': '/v1/x',
    'HTTPS://h:8/v1/x': '/v1/x',
    'http://user@h/%2e%2e/x': '/%2e%2e/x',
    'http://h': '/',
    'http://h?x': '/',
    '?x': '/',
    '': '/',
    '*': '*',
  };
  for (const [target, path] of Object.entries(targets)) assert.equal(rawPathOf(target), path, target);
});

const dots = ['.', '..', '%2e', '%2E', '%2e%2E', '.%2e', '%2e.'];
const separators = ['/', '\\', '%2f', '%2F', '%5c', '%5C'];

test('a segment of dots is refused, in whatever way it is encoded and wherever it stands', () => {
  for (const dot of dots) {
    for (const separator of separators) {
      for (const path of [
        `/v1${separator}${dot}`,
        `/v1${separator}${dot}/x`,
        `/v1/${dot}${separator}x`,
        `/v1${separator}${dot};a=b/x`,
        `/v1/${dot}%3Ba${separator}x`,
        `/${dot}/${dot}/x`,
      ])
        assert.throws(() => refuseDotSegments(path), { code: 'invalid_request', field: 'path' }, path);
    }
  }
});

test('dots within a segment are none', () => {
  for (const path of [
    '/v1/...',
    '/v1/a..',
    '/v1/..a',
    '/v1/.well-known',
    '/v1/a.b/c',
    '/v1/gpt-4.1',
    '/v1/%2e%2e%2e',
    '/',
    '',
  ])
    assert.doesNotThrow(() => refuseDotSegments(path), path);
});

test('what passes climbs nowhere, and what climbs nowhere passes', () => {
  const piece = fc.constantFrom('.', '%2e', '%2E', '/', '\\', '%2f', '%5C', 'a', ';', '%3b', '//');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const path = `/v1/${pieces.join('')}`;
      const segments = decoded(path)
        .split(/[/\\]/)
        .map((segment) => segment.replace(/;.*/, ''));
      const climbs = segments.some((segment) => segment === '.' || segment === '..');
      let isRefused = false;
      try {
        refuseDotSegments(path);
      } catch {
        isRefused = true;
      }
      assert.equal(isRefused, climbs, path);
    }),
    { numRuns },
  );
});

test('what is encoded wrongly is taken as it stands', () => {
  assert.equal(decoded('a%2Fb%20%C3%A9'), 'a/b é');
  for (const wrong of ['%', '%zz', 'a%2', '%C3', '%2F%']) assert.equal(decoded(wrong), wrong);
});
