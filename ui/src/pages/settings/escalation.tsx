import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { queryClient } from '../../api/query-client.js';
import { escalationQuery } from '../../api/settings-queries.js';
import type { AlertChannel, Contact } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { ContactDialog, type NewContact } from './contact-dialog.js';
import { movedUp, replaced, without } from './escalation-order.js';

const words = text.settings.alerts;

function put(contacts: readonly NewContact[]): Promise<unknown> {
  const sent = contacts.map(({ name, channelIds, waitSeconds }) => ({ name, channelIds, waitSeconds }));
  return answerOf(api.PUT('/v1/escalation', { body: { contacts: sent } }));
}

/** Who is told first, and who when nobody has ended it in time. The list is sent as a whole. */
export function Escalation({ channels }: { channels: readonly AlertChannel[] }): ReactNode {
  const mayChange = useMayEverywhere()('alerts:write');
  const query = useQuery(escalationQuery);
  /** The place that is changed; the one behind the last is a new one. */
  const [asked, setAsked] = useState<{ act: 'change' | 'remove'; at: number } | null>(null);
  const close = (): void => setAsked(null);
  const raising = useMutation({
    mutationFn: put,
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: escalationQuery.queryKey }),
  });
  const contacts = query.data?.contacts ?? [];
  const one = asked && contacts[asked.at];
  return (
    <Section
      title={words.order}
      count={query.data && contacts.length}
      acts={
        mayChange &&
        query.data &&
        channels.length > 0 && (
          <Button size="xs" onClick={() => setAsked({ act: 'change', at: contacts.length })}>
            {words.addContact}
          </Button>
        )
      }
    >
      <p className="narrow">{words.orderMeans}</p>
      {raising.error && <ProblemNotice error={raising.error} ofAct />}
      <Loaded query={query}>
        {() =>
          contacts.length === 0 ? (
            <Empty>{words.noOrder}</Empty>
          ) : (
            <Table
              rows={contacts.map((contact, at) => ({ ...contact, at, id: String(contact.level) }))}
              columns={[
                { name: words.who, cell: ({ level, name }) => `${level}. ${name}` },
                { name: words.by, cell: ({ channelIds }) => namesOf(channelIds, channels) },
                {
                  name: words.wait,
                  cell: ({ at, waitSeconds }) =>
                    at === contacts.length - 1 ? words.isLast : words.minutes(waitSeconds / 60),
                },
                ...(mayChange
                  ? [
                      {
                        name: text.settings.acts,
                        cell: ({ at, name }: Contact & { at: number }) => (
                          <div className="row">
                            <Button
                              size="compact-xs"
                              variant="default"
                              disabled={at === 0}
                              loading={raising.isPending}
                              onClick={() => raising.mutate(movedUp(contacts, at))}
                              aria-label={text.devices.actOn(words.up, name)}
                            >
                              {words.up}
                            </Button>
                            <Button
                              size="compact-xs"
                              variant="default"
                              onClick={() => setAsked({ act: 'change', at })}
                              aria-label={text.devices.actOn(text.settings.change, name)}
                            >
                              {text.settings.change}
                            </Button>
                            <Button
                              size="compact-xs"
                              variant="default"
                              onClick={() => setAsked({ act: 'remove', at })}
                              aria-label={text.devices.actOn(words.takeOff, name)}
                            >
                              {words.takeOff}
                            </Button>
                          </div>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
      {asked?.act === 'change' && (
        <ContactDialog
          contact={one ?? null}
          channels={channels}
          save={(contact) => put(replaced(contacts, asked.at, contact))}
          onClose={close}
        />
      )}
      {asked?.act === 'remove' && one && (
        <ActDialog
          title={text.devices.actOn(words.takeOffVerb, one.name)}
          verb={words.takeOffVerb}
          act={() => put(without(contacts, asked.at))}
          onDone={close}
          onClose={close}
        >
          <p>{contacts.length === 1 ? words.takeOffLast : words.takeOffMeans}</p>
        </ActDialog>
      )}
    </Section>
  );
}

function namesOf(ids: readonly string[], channels: readonly AlertChannel[]): string {
  return ids.map((id) => channels.find((channel) => channel.id === id)?.name ?? words.someChannel).join(', ');
}
