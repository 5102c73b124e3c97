"""Kills, cuts and damage; each test is named for its fault.

The corner cases of supervision by number: what must happen, and the tests below tests/ that show it; or what is not built yet.

starts
  1  a child that fails its first start ends the start with its reason; those before it stop in reverse; nobody tries again
     unit/runtime/test_supervisor.py::test_a_child_that_does_not_start_stops_those_before_it_in_reverse
     faults/test_kernel_and_warden.py::test_a_tree_that_cannot_start_says_why_and_leaves_nothing
  2  one that never starts again is tried after growing delays, each try counts, and then it is parked
     faults/test_corner_start.py::test_a_node_that_never_starts_again_is_tried_after_growing_delays_and_then_parked
     unit/runtime/test_supervision_strategy.py::test_the_first_restart_is_at_once_and_later_ones_wait_twice_as_long_each_up_to_a_limit
  3  one that hangs at its start is killed in time, and its supervisor answers meanwhile
     integration/test_node_starts_and_ends.py::test_a_node_that_hangs_at_its_start_is_killed_in_time
     faults/test_corner_start.py::test_a_node_that_hangs_at_its_start_keeps_nobody_else_waiting
  4  one that does not start in its group's restart is tried again; those before it stay, those after it wait
     faults/test_corner_groups.py::test_a_member_that_does_not_start_again_is_tried_again_and_those_before_it_stay
  5  a class that cannot be imported, one of `__main__`, arguments that are no data: one clear error, no loop
     integration/test_node_starts_and_ends.py::test_a_class_that_a_node_cannot_import_is_one_clear_error
     integration/test_node_starts_and_ends.py::test_the_users_main_module_is_never_imported_by_a_node_and_its_classes_cannot_be_nodes
     unit/runtime/test_supervision_spec.py::test_a_child_spec_that_breaks_a_rule_is_refused
  6  one that ends before it is registered leaves no entry, and its callers hear of it
     faults/test_corner_start.py::test_who_asks_a_node_that_ends_before_it_is_registered_is_told_so_and_no_entry_is_left
     faults/test_crash_points.py::test_a_node_that_is_killed_at_a_step_of_its_first_start_is_up_all_the_same
  7  each way to end is told apart in the tree
     faults/test_runtime_faults.py::test_each_way_to_end_is_told_apart_and_a_permanent_child_is_back
     faults/test_corner_start.py::test_memory_that_runs_out_is_told_apart_from_other_ends

restarts
  8  siblings that crash in one moment: one restart of the group
     faults/test_corner_groups.py::test_siblings_that_crash_in_the_same_moment_are_restarted_once
     faults/test_corner_groups.py::test_nodes_of_a_group_that_are_killed_in_the_same_moment_are_restarted_once_and_in_order
  9  a sibling that crashes while its group is stopped or started is folded in; no path has two lives
     faults/test_corner_groups.py::test_a_sibling_that_crashes_while_its_group_is_stopped_is_folded_into_the_restart
     faults/test_corner_groups.py::test_a_sibling_that_crashes_while_its_group_is_started_takes_it_along_once_more
 10  a storm escalates at exactly the limit and keeps nobody else waiting (60 s of it: `python -m benchmarks restart`)
     faults/test_corner_restart.py::test_a_storm_escalates_at_exactly_the_limit
     faults/test_corner_restart.py::test_a_storm_of_processes_keeps_neither_its_siblings_nor_whoever_looks_waiting
 11  the window at its edges, and clocks that jump: only monotonic time counts
     unit/runtime/test_supervision_strategy.py::test_it_is_exhausted_exactly_when_the_window_holds_more_than_intensity
     faults/test_corner_restart.py::test_a_restart_at_the_edge_of_the_window_counts_and_one_beyond_it_does_not
     faults/test_corner_restart.py::test_a_wall_clock_that_jumps_neither_empties_the_window_nor_keeps_it_full
 12  time spent stopping does not empty the window
     faults/test_corner_groups.py::test_stops_that_take_longer_than_the_period_do_not_make_room_for_endless_restarts
 13  a transient supervisor that gave up has failed, and is restarted (in OTP it is not)
     unit/runtime/test_supervisor.py::test_a_transient_supervisor_that_gave_up_is_restarted_since_that_is_a_failure
 14  a message that kills several lives is a dead letter in the end; the others are handled (one that kills its
     process is told to its asker as ended, and is not sent again)
     unit/runtime/test_attempts.py::test_poison_is_tried_in_as_many_lives_as_allowed_and_is_one_dead_letter
     unit/runtime/test_attempts.py::test_what_waits_behind_poison_is_handled_after_it_in_order
 15  what waits at a crash is kept in order; the message in hand goes by the policy; asks keep their deadlines
     faults/test_corner_restart.py::test_what_waits_at_a_crash_is_handled_by_the_next_life_in_order_and_the_one_in_hand_once
     faults/test_corner_restart.py::test_an_ask_that_waits_through_a_restart_keeps_its_deadline
 16  stop, remove and restart while a restart is due cancel it, and a stopped child stays stopped
     faults/test_corner_groups.py::test_a_child_that_an_operator_stops_while_it_waits_for_its_restart_stays_stopped
     faults/test_corner_groups.py::test_a_child_that_an_operator_has_stopped_stays_stopped_when_its_group_is_restarted
     faults/test_corner_groups.py::test_a_restart_that_an_operator_orders_while_one_is_due_comes_instead_of_it
     faults/test_corner_restart.py::test_a_child_that_is_removed_while_it_waits_for_its_restart_stays_away
 17  a reload during a restart changes what it names and leaves the rest alone
     faults/test_corner_groups.py::test_a_reload_that_comes_while_a_child_waits_for_its_restart_changes_that_one_alone

stops
 18  one that ignores SIGTERM, holds the interpreter in C or is stopped by a signal is killed when its time is over; what
     survives that is reported, and everything else goes on
     faults/test_corner_shutdown.py::test_a_process_that_survives_being_killed_is_reported_and_holds_nobody_up
     faults/test_corner_shutdown.py::test_a_node_that_ignores_sigterm_and_hangs_is_killed_when_its_time_to_stop_is_over
     faults/test_corner_shutdown.py::test_a_node_that_holds_the_interpreter_in_c_is_killed_when_its_time_to_stop_is_over
     faults/test_runtime_faults.py::test_a_stopped_process_is_killed_when_its_time_to_stop_is_over
 19  a failure while stopping is reported, restarts nobody, and the rest is stopped
     faults/test_corner_shutdown.py::test_an_on_stop_that_raises_is_reported_restarts_nobody_and_the_rest_is_stopped_in_order
     faults/test_corner_shutdown.py::test_a_node_that_is_killed_while_the_tree_stops_is_not_restarted_and_the_rest_is_stopped
 20  a second signal hurries, a third kills
     faults/test_warden_signals.py::test_a_second_signal_hurries_and_each_line_says_what_the_next_would_do
     faults/test_warden_signals.py::test_a_third_signal_kills_and_the_exit_code_says_so
 21  a signal in the middle of the start ends the start and stops what is up
     faults/test_warden_signals.py::test_a_signal_in_the_middle_of_a_start_interrupts_it_and_stops_what_is_up
 22  a child that is asked for during the stop is refused
     faults/test_corner_shutdown.py::test_a_child_that_is_asked_for_while_its_supervisor_stops_is_refused
 23  a stop that crosses the natural end: one report, no error
     faults/test_corner_shutdown.py::test_a_stop_that_crosses_the_natural_end_of_a_node_is_reported_once_and_fails_nobody
 24  three levels with a stuck leaf stop in bounded time, and no grandchild is left
     faults/test_corner_shutdown.py::test_a_tree_of_three_levels_with_a_stuck_leaf_stops_in_bounded_time_and_leaves_no_grandchild
 25  every ask under way resolves
     faults/test_corner_shutdown.py::test_every_ask_under_way_at_the_stop_resolves
     unit/runtime/test_cell.py::test_a_stop_answers_the_asks_that_wait_and_makes_the_tells_dead_letters

processes
 26  the kernel (or the warden) is killed: every descendant is gone in 2 s, daemons included
     faults/test_corner_os.py::test_the_kernel_is_killed_and_grandchildren_and_daemons_are_gone_with_the_rest
     faults/test_corner_os.py::test_the_warden_is_killed_and_grandchildren_and_daemons_are_gone_with_the_rest
     faults/test_kernel_and_warden.py::test_kernel_killed_ends_every_old_process_and_starts_a_new_tree
 27  a supervisor's node is killed: all below it dies, and comes back
     faults/test_runtime_faults.py::test_a_supervisors_node_dies_with_all_below_it_and_comes_back_with_all_below_it
     faults/test_warden_signals.py::test_a_kernel_that_is_stopped_is_replaced
 28  what a killed node leaves behind is ended and reaped
     faults/test_corner_os.py::test_a_node_is_killed_and_its_grandchildren_and_daemons_are_ended_and_reaped
 29  a node outlives the thread that asked for it
     faults/test_corner_os.py::test_a_node_outlives_the_thread_that_asked_for_it
 30  a parent that dies while its node is made takes it along, however early that is
     faults/test_corner_os.py::test_a_parent_that_goes_while_its_node_is_made_takes_the_node_along
 31  a pid that is another's by now is never signalled: processes are reached by descriptors of theirs
     faults/test_corner_os.py::test_a_kill_that_comes_after_the_death_reaches_nobody
 32  restarts leave no zombie (10,000 of them: `python -m benchmarks restart`)
     faults/test_corner_os.py::test_hundreds_of_restarts_leave_no_zombie_descriptor_thread_or_file
 33  nor descriptors, sockets, shared memory or files; what a dead kernel left is swept
     faults/test_corner_os.py::test_hundreds_of_restarts_leave_no_zombie_descriptor_thread_or_file
     unit/runtime/test_run_directory.py::test_the_sweep_removes_what_an_earlier_kernel_left_and_keeps_logs_and_lives
 34  a second warden on one run directory is refused, by the pid of the first
     faults/test_kernel_and_warden.py::test_a_second_warden_on_one_run_directory_is_refused_and_told_the_kernel_s_pid
 35  no descriptor, no room on the disk: tried again after a delay, the supervisor goes on
     faults/test_corner_os.py::test_no_descriptor_is_free_for_a_restart_and_it_is_tried_again_until_there_is_one
     faults/test_corner_os.py::test_a_disk_that_is_full_keeps_nobody_from_being_restarted
     faults/test_runtime_owner_faults.py::test_no_descriptor_is_free_and_a_start_fails_clearly_and_later_ones_succeed
 36  a child that hangs, with the interpreter or without it, is found, its stacks are kept, and it is replaced
     faults/test_hangs.py::test_a_handler_that_loops_without_end
     faults/test_hangs.py::test_a_handler_that_is_blocked_on_a_lock
     faults/test_hangs.py::test_a_call_into_c_that_holds_the_interpreters_lock
     unit/runtime/test_hangs_without_a_node.py::test_a_handler_that_blocks_is_given_up_with_its_stack_and_the_next_life_runs_at_once
 37  slow is not hung: a machine that is starved, a supervisor that was paused, a child under maintenance
     faults/test_hangs.py::test_a_kernel_that_is_paused_for_five_seconds_blames_no_node_and_says_how_long_it_was
     faults/test_hangs.py::test_an_actor_that_works_slowly_but_gets_on_is_not_hung
     faults/test_hangs.py::test_one_under_maintenance_is_reported_with_its_stacks_and_left_alone
     unit/runtime/test_liveness.py::test_on_a_starved_machine_where_every_tick_is_late_a_node_that_beats_lives_and_one_that_hangs_is_found
 38  time that was lost (suspend, resume) counts for nobody, and only monotonic time counts
     unit/runtime/test_liveness.py::test_own_time_neither_goes_back_nor_outruns_the_clock
     unit/runtime/test_liveness.py::test_whatever_pauses_the_watcher_has_one_that_beats_is_never_silent
     faults/test_corner_restart.py::test_a_wall_clock_that_jumps_neither_empties_the_window_nor_keeps_it_full

messages
 39  what was told to a node that is killed happens once or not at all; sending it again to the next life is not built yet, so a
     tell that was on its way is lost without a word
     faults/test_corner_transport.py::test_what_was_told_to_a_node_that_is_killed_has_its_effect_once_or_not_at_all
     faults/test_runtime_faults.py::test_tells_while_a_node_dies_reach_the_next_life_in_order_and_none_twice
     integration/test_nodes.py::test_what_waits_in_a_node_that_stops_is_answered_or_a_dead_letter_that_is_heard_of
 40  a reply that is lost is a timeout; nobody hangs (to ask again is the asker's business)
     faults/test_corner_transport.py::test_a_reply_that_is_lost_is_a_timeout_of_the_asker_and_nobody_hangs
     unit/runtime/test_testing_faulty_link.py::test_every_ask_resolves_once_in_a_storm
 41  an answer to nobody is not dropped in silence
     unit/runtime/test_zeromq.py::test_an_answer_to_a_peer_that_never_was_is_unsent
     unit/runtime/test_link.py::test_what_the_transport_gives_back_is_accounted_for
 42  who does not read has a bound, and the supervisor does not wait for it
     faults/test_corner_transport.py::test_what_waits_for_a_node_that_does_not_read_has_a_bound_and_the_supervisor_goes_on
     unit/runtime/test_node_channel.py::test_a_peer_that_does_not_read_blocks_nobody_and_loses_nothing
 43  what is corrupt, too large, of another version or nested without end is rejected and harms nobody
     faults/test_runtime_faults.py::test_garbage_on_a_nodes_socket_is_rejected_counted_and_heard_of
     faults/test_corner_transport.py::test_a_frame_over_the_limit_ends_the_way_of_who_sent_it_and_no_other
     unit/runtime/test_codec.py::test_a_frame_of_another_version_is_refused_by_name
     unit/runtime/test_codec.py::test_a_body_that_is_nested_beyond_reason_is_refused
     unit/runtime/test_codec.py::test_an_extension_that_nobody_knows_is_refused
 44  a forked copy of the process cannot use what it has inherited
     faults/test_corner_transport.py::test_a_forked_copy_of_the_process_cannot_send_and_is_told_so_at_once
 45  the close is bounded although a peer does not read
     faults/test_corner_transport.py::test_the_close_takes_a_bounded_time_although_a_peer_does_not_read
     unit/runtime/test_zeromq.py::test_closing_gives_back_what_still_waits
 46  a path that is too long for a socket is refused, and how long it may be is said
     unit/runtime/test_run_directory.py::test_a_path_that_leaves_no_room_for_sockets_is_refused_and_says_how_long_it_may_be
 47  what was meant for an earlier life is told that it ended, and never reaches a later one
     faults/test_corner_transport.py::test_a_ref_from_an_earlier_life_never_reaches_a_later_one_by_mistake
     unit/runtime/test_zeromq.py::test_a_life_that_was_forgotten_takes_nothing_more_and_the_next_one_does
 48  actors of one process that ask each other in a circle are told at once; across processes the deadline ends it
     unit/runtime/test_ask_cycles.py::test_two_that_ask_each_other_are_told_at_once
     faults/test_corner_transport.py::test_actors_of_two_processes_that_ask_each_other_end_by_their_deadlines
"""
