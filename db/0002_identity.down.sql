drop table api_keys, user_links, login_failures, known_devices, recovery_codes, second_factors, login_challenges,
  login_tokens, logins, invitations, members, workspaces, users, instance_settings;
