drop function convoke_purge_chain(integer), convoke_erase_facts_about(uuid);
drop table api_keys, user_links, login_failures, known_devices, recovery_codes, second_factors, login_challenges,
  login_tokens, logins, invitations, members, purge_tallies, workspaces, users, instance_settings;
