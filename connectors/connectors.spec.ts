import { expect, it } from 'vitest';
import { z } from 'zod';
import { connectors } from './index.js';

it('gives no two connectors the same id', () => {
  expect(new Set(connectors.map(({ id }) => id)).size).toBe(connectors.length);
});

it.each(connectors.map((connector) => [connector.id, connector] as const))(
  'has settings for %s that a form can be made of',
  (_id, connector) => {
    expect(z.toJSONSchema(connector.settings, { io: 'input' })).toMatchObject({ type: 'object' });
    for (const sentence of Object.values(connector.secrets)) expect(sentence).not.toBe('');
  },
);
