import { Page } from './kit/page.tsx';
import { RowLink, Rows } from './kit/rows.tsx';
import { useWorkspace } from './kit/workspace.tsx';

/** What is set once and seldom looked at. */
export function SettingsPage() {
  const { slug, can } = useWorkspace();
  return (
    <Page title="Settings" width="reading">
      <Rows label="Settings">
        <RowLink
          to="/w/$slug/settings/members"
          params={{ slug }}
          title="Members"
          meta="Who belongs here, what they may do, and invitations"
        />
        {can('keys.manage') && (
          <RowLink
            to="/w/$slug/settings/keys"
            params={{ slug }}
            title="API keys"
            meta="With what your programs come in, and what each may do"
          />
        )}
        {can('audit.read') && (
          <RowLink
            to="/w/$slug/settings/audit"
            params={{ slug }}
            title="Audit"
            meta="Who did what, when and from where"
          />
        )}
        <RowLink
          to="/w/$slug/settings/workspace"
          params={{ slug }}
          title="Workspace"
          meta="Its name; leaving and deleting it"
        />
        <RowLink
          to="/w/$slug/settings/sending"
          params={{ slug }}
          title="Sending"
          meta="What happens with messages that got no answer; parking the whole workspace"
        />
        <RowLink
          to="/w/$slug/settings/status"
          params={{ slug }}
          title="Status"
          meta="How this Convoke runs, and which node drives which channel"
        />
      </Rows>
    </Page>
  );
}
