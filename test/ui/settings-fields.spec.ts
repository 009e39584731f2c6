import { expect, it } from 'vitest';
import { z } from 'zod';
import { connectors } from '../../connectors/index.js';
import { NewChannel } from '../../src/alerting/channel-settings.js';
import { CHANNEL_FIELDS } from '../../ui/src/pages/settings/channel-fields.js';
import {
  fieldsOf,
  keyFrom,
  settingsOf,
  typedOf,
  type SettingsField,
} from '../../ui/src/pages/tools/settings-fields.js';

const fieldsOfConnector = (id: string) => {
  const connector = connectors.find((one) => one.id === id);
  if (!connector) throw new Error(`no connector ${id}`);
  return fieldsOf(z.toJSONSchema(connector.settings, { io: 'input' }));
};

it('makes a field of every setting of every connector, and needs JSON for few of them', () => {
  const all = connectors.flatMap(({ id }) => fieldsOfConnector(id).map((field) => ({ id, ...field })));
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter(({ kind }) => kind === 'json').map(({ id, name }) => `${id}.${name}`)).toEqual([
    'rabbitmq.roles',
    'redis-acl.roles',
  ]);
  expect(all.filter(({ kind, choices }) => kind === 'choice' && choices.length === 0)).toEqual([]);
});

it('reads back what was typed as the connector takes it', () => {
  const fields = fieldsOfConnector('postgres');
  const typed = { host: ' db.acme.example ', port: '5433', user: 'quartermaster', sslmode: '', passwordsOnly: false };
  const read = settingsOf(fields, typed);
  expect(read).toEqual({
    settings: { host: 'db.acme.example', port: 5433, user: 'quartermaster', passwordsOnly: false },
  });
  if (!('settings' in read)) throw new Error('unreadable');
  expect(settingsOf(fields, typedOf(fields, read.settings))).toEqual(read);
  expect(typedOf(fields, {})).toMatchObject({ passwordsOnly: true, host: '' });
});

it('takes lines as a list, and says which JSON can’t be read', () => {
  expect(settingsOf(fieldsOfConnector('active-directory'), { keyAttributes: 'a\n\n b ' })).toEqual({
    settings: { keyAttributes: ['a', 'b'] },
  });
  expect(settingsOf(fieldsOfConnector('rabbitmq'), { roles: '[{' })).toEqual({ unreadable: 'roles' });
});

it('proposes a key', () => {
  expect(keyFrom(' Analytics – database (Köln) ')).toBe('analytics-database-ko-ln');
});

it('asks of an alert channel for exactly what the service takes of its kind', () => {
  const facts = (fields: readonly SettingsField[]) =>
    fields.map(({ name, kind, isRequired, choices, otherwise }) => ({ name, kind, isRequired, choices, otherwise }));
  for (const { shape } of NewChannel.options) {
    const taken = fieldsOf(z.toJSONSchema(shape.settings, { io: 'input' }));
    expect(facts(CHANNEL_FIELDS[shape.kind.value])).toEqual(facts(taken));
  }
});
