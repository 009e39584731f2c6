import type { AlertChannel } from '../../api/types.js';
import { text } from '../../text/text.js';
import type { SettingsField } from '../tools/settings-fields.js';

type Kind = AlertChannel['kind'];

const words = text.settings.alerts.field;

const line = (name: keyof typeof words, more: Partial<SettingsField> = {}): SettingsField => ({
  name,
  label: words[name],
  kind: 'line',
  isRequired: false,
  description: undefined,
  choices: [],
  otherwise: undefined,
  ...more,
});

const INSIDE = line('allowPrivateAddresses', {
  kind: 'flag',
  description: text.tools.insideMeans,
  otherwise: 'false',
});

/** What each kind of channel asks for beside its secret, as `POST /v1/alert-channels` takes it. */
export const CHANNEL_FIELDS: Readonly<Record<Kind, readonly SettingsField[]>> = {
  pagerduty: [line('baseUrl', { otherwise: 'https://events.pagerduty.com' }), INSIDE],
  slack: [INSIDE],
  smtp: [
    line('host', { isRequired: true }),
    line('port', { kind: 'number', otherwise: '587' }),
    line('tls', { kind: 'choice', choices: ['starttls', 'implicit', 'none'], otherwise: 'starttls' }),
    line('user'),
    line('from', { isRequired: true }),
    line('to', { kind: 'list', isRequired: true }),
  ],
};

/** Where a channel leads, as far as its settings tell: the rest is its secret. */
export function placeOf({ kind, settings }: Pick<AlertChannel, 'kind' | 'settings'>): string {
  const told = (name: string): string => {
    const value = settings[name];
    if (Array.isArray(value)) return value.join(', ');
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (kind) {
    case 'pagerduty':
      return told('baseUrl');
    case 'slack':
      return text.settings.alerts.webhook;
    case 'smtp':
      return text.settings.alerts.mailTo(told('to'), `${told('host')}:${told('port')}`);
  }
}
