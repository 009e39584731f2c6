import { expect, it } from 'vitest';
import { z } from 'zod';
import { connectors, findConnector } from './index.js';

it('finds each connector by its id, and no two have the same', () => {
  expect(new Set(connectors.map(({ id }) => id)).size).toBe(connectors.length);
  for (const connector of connectors) expect(findConnector(connector.id)).toBe(connector);
  expect(findConnector('no-such-connector')).toBeUndefined();
});

it.each(connectors.map((connector) => [connector.id, connector] as const))(
  'has settings for %s that a form can be made of',
  (_id, connector) => {
    expect(z.toJSONSchema(connector.settings, { io: 'input' })).toMatchObject({ type: 'object' });
    for (const sentence of Object.values(connector.secrets)) expect(sentence).not.toBe('');
  },
);
