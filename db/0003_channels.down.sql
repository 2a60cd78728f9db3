drop table intake_pending, intake_keys, intake, groups, pairings, channel_keys, channel_credentials, api_key_channels, channels;
