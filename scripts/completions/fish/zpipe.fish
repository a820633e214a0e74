# The command behind the -- of run, or behind a :::, as far as it is typed.
function __zeroutils_zpipe_stage
    set -l words (commandline -opc)
    contains run $words; or return
    set -l start
    for i in (seq (count $words))
        contains -- $words[$i] -- ::: ; and set start $i
    end
    set -q start[1]; or return
    set -e words[1..$start]
    string join ' ' (string escape -- $words) (commandline -ct)
end

complete -c zpipe -n 'test (count (commandline -opc)) -eq 1' -a run -d 'Join commands by pipes'
complete -c zpipe -n 'string length -q -- (__zeroutils_zpipe_stage)' -a '(complete -C (__zeroutils_zpipe_stage))'
complete -c zpipe -l both -d 'Relay in both directions'
complete -c zpipe -l serve -d 'Relay every connection to what is opened for it'
complete -c zpipe -l max-connections -x -d 'Relay at most so many connections at a time'
complete -c zpipe -l grace -x -d 'Wait so many seconds for what is cut off'
complete -c zpipe -l linger -x -d 'Let standard input be silent for so many seconds after the peer has ended'
complete -c zpipe -l buffer-total -x -d 'Hold at most so many bytes in all buffers'
complete -c zpipe -l timeout -x -d 'Give up connecting, and an idle relay, after so many seconds'
complete -c zpipe -l pipe-size -x -d 'Raise pipes to this size'
complete -c zpipe -l stderr -x -a 'lines direct' -d 'What becomes of the standard error of the commands of run'
complete -c zpipe -s p -l progress -d 'Show a progress bar'
complete -c zpipe -s t -l timer -d 'Show the time that has gone by'
complete -c zpipe -s e -l eta -d 'Show the time that is left'
complete -c zpipe -s I -l fineta -d 'Show the time of day of the end'
complete -c zpipe -s r -l rate -d 'Show the current rate'
complete -c zpipe -s a -l average-rate -d 'Show the rate over the last 30 seconds'
complete -c zpipe -s b -l bytes -d 'Show how many bytes have passed'
complete -c zpipe -s n -l numeric -d 'Show numbers for programs'
complete -c zpipe -s q -l quiet -d 'Show nothing'
complete -c zpipe -s W -l wait -d 'Show nothing before the first byte'
complete -c zpipe -s D -l delay-start -x -d 'Show nothing in the first seconds'
complete -c zpipe -s i -l interval -x -d 'Seconds from one drawing to the next'
complete -c zpipe -s N -l name -x -d 'Put a name in front'
complete -c zpipe -s w -l width -x -d 'Columns to draw on'
complete -c zpipe -s f -l force -d 'Draw also where there is no terminal'
complete -c zpipe -s d -l watchfd -x -a '(__fish_complete_pids)' -d 'Show how far another process is'
complete -c zpipe -s c -l cursor -d 'Accepted as pv does'
complete -c zpipe -s s -l size -x -d 'Size of the whole'
complete -c zpipe -s S -l stop-at-size -d 'Stop when the size has passed'
complete -c zpipe -s L -l rate-limit -x -d 'Most bytes to pass a second'
complete -c zpipe -l buffer -x -d 'Bytes to hold for a slow sink'
complete -c zpipe -l fill -x -d 'Percent of the buffer to fill first'
complete -c zpipe -l stall -x -d 'Seconds of silence to report'
complete -c zpipe -l method -x -a 'auto reflink copy_file_range sendfile splice mmap direct readwrite' -d 'Move the data by this method'
complete -c zpipe -l stats -f -a 'text json' -d 'Say at the end how the data was moved'
complete -c zpipe -l help -d 'Display help and exit'
complete -c zpipe -l version -d 'Output version information and exit'
