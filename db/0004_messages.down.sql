drop index activity_type;
drop function convoke_parked;
drop table parkings, instance_parking, sending_policies, receipt_keys, receipts, provider_ids, attempts, deliveries, messages;
