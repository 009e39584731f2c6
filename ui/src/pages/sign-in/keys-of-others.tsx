import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { callerQuery, heldKeysQuery } from '../../api/queries.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { SecurityKeyRow } from './security-key-row.js';

/** For whoever helps somebody that lost theirs. */
export function KeysOfOthers(): ReactNode {
  const mayRemove = useMay()('security-keys:write');
  const { data: caller } = useQuery(callerQuery);
  const keys = useQuery({
    ...heldKeysQuery,
    select: ({ items }) => items.filter(({ principal }) => principal !== caller?.id),
  });
  return (
    <Section title={text.yourSignIn.others} count={keys.data?.length}>
      <Loaded query={keys}>
        {(others) =>
          others.length === 0 ? (
            <Empty>{text.yourSignIn.noOthers}</Empty>
          ) : (
            <ul className="rows">
              {others.map((key) => (
                <SecurityKeyRow
                  key={key.id}
                  securityKey={key}
                  holder={key.holder}
                  means={text.yourSignIn.removeOtherMeans(key.holder)}
                  remove={
                    mayRemove
                      ? () => answerOf(api.DELETE('/v1/security-keys/{id}', { params: { path: { id: key.id } } }))
                      : null
                  }
                />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
