import { useState, type ReactNode } from 'react';
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answerOf, api, once } from '../../api/client.js';
import { connectorsQuery } from '../../api/queries.js';
import { LoadedPage } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { Capabilities } from './capabilities.js';
import { ToolForm } from './tool-form.js';

/** Sets a tool up: which kind, then what that kind needs. */
export function NewToolPage(): ReactNode {
  const query = useQuery(connectorsQuery);
  const navigate = useNavigate();
  const [id, setId] = useState('');
  // Sent again because no answer came, it is the same tool.
  const [header] = useState(once);
  return (
    <LoadedPage query={query} title={text.tools.newTitle}>
      {({ items }) => {
        const connector = items.find((one) => one.id === id);
        return (
          <Page title={text.tools.newTitle} sub={text.tools.newSub}>
            <NativeSelect
              label={text.tools.kind}
              value={id}
              onChange={(event) => setId(event.currentTarget.value)}
              data={[
                { value: '', label: text.tools.chooseKind },
                ...items
                  .toSorted((a, b) => a.title.localeCompare(b.title))
                  .map((one) => ({ value: one.id, label: one.title })),
              ]}
            />
            {connector && (
              <>
                <ToolForm
                  key={id}
                  connector={connector}
                  verb={text.tools.setUp}
                  send={(word) =>
                    answerOf(api.POST('/v1/tools', { params: { header }, body: { ...word, connector: connector.id } }))
                  }
                  onDone={({ id: toolId }) => void navigate({ to: '/tools/$toolId', params: { toolId } })}
                />
                <Section title={text.tools.needs} count={connector.capabilities.length}>
                  <Capabilities of={connector} />
                </Section>
              </>
            )}
          </Page>
        );
      }}
    </LoadedPage>
  );
}
