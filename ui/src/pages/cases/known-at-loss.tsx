import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { text } from '../../text/text.js';
import { duration } from '../../time/relative-time.js';
import { encryptionWord } from '../devices/encryption.js';

interface Props {
  facts: Record<string, unknown>;
  deviceId: string | null;
}

/** What was known of the device at the moment of the report, and how old that knowledge was then. */
export function KnownAtLoss({ facts, deviceId }: Props): ReactNode {
  const { assetTag } = facts;
  return (
    <dl className="facts">
      {typeof assetTag === 'string' && (
        <div>
          <dt>{text.devices.device}</dt>
          <dd>
            {deviceId === null ? (
              assetTag
            ) : (
              <Link to="/devices/$deviceId" params={{ deviceId }}>
                {assetTag}
              </Link>
            )}
          </dd>
        </div>
      )}
      <Knowledge name={text.devices.diskEncryption} known={facts['diskEncryption']} word={encryptionWord} />
      <Knowledge name={text.devices.lastOnline} known={facts['lastOnline']} />
    </dl>
  );
}

interface KnowledgeProps {
  name: string;
  known: unknown;
  word?: (value: string) => string;
}

function Knowledge({ name, known, word = (value) => value }: KnowledgeProps): ReactNode {
  if (typeof known !== 'object' || known === null) return null;
  const { value, source, ageSeconds } = known as { value?: unknown; source?: unknown; ageSeconds?: unknown };
  if (typeof value !== 'string') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {word(value)}
        {typeof ageSeconds === 'number' && typeof source === 'string' && (
          <span className="dim"> · {text.devices.thenOld(duration(ageSeconds * 1000), source)}</span>
        )}
      </dd>
    </div>
  );
}
