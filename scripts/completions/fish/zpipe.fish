complete -c zpipe -f
complete -c zpipe -l method -x -a 'auto reflink copy_file_range sendfile splice mmap direct readwrite' -d 'Move the data by this method'
complete -c zpipe -l stats -f -a 'text json' -d 'Say at the end how the data was moved'
complete -c zpipe -l help -d 'Display help and exit'
complete -c zpipe -l version -d 'Output version information and exit'
