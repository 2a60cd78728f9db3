drop table setup_links, logins, members, workspaces, users;
