drop table reminder_occurrence_targets, reminder_occurrences, reminder_targets, reminders;
